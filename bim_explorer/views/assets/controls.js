// The sidebar's controls, drawn from a list of sections: see panels/controls.py.
// They show `values` and send what the user enters; they keep nothing of their own.

const plain = (value) => {
  const number = Number(Number(value).toPrecision(6))
  const small = number !== 0 && Math.abs(number) < 1e-4
  return small ? number.toExponential().replace("e+", "e") : String(number)
}

const node = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "")
    else if (value !== false && value != null) element.setAttribute(name, value)
  }
  element.append(...children)
  return element
}

// A number's slider moves in positions: logarithms where the range spans decades.
const position = (control, value) => {
  const inside = Math.min(Math.max(value, control.low), control.high)
  return control.log ? Math.log10(inside) : inside
}

const valueAt = (control, place) => {
  const digits = control.log ? 2 : 6
  const value = Number((control.log ? 10 ** place : place).toPrecision(digits))
  return Math.min(Math.max(value, control.low), control.high)
}

const field = (control, send, attributes) => {
  const input = node("input", {type: "text", class: "field", id: control.id,
    spellcheck: "false", autocomplete: "off", "aria-describedby": `${control.id}-doc`, ...attributes})
  // What is being typed is not overwritten by news from the run.
  let typing = false
  const done = (text) => { typing = false; if (text !== input.dataset.shown) send(text) }
  const show = (value) => {
    input.dataset.shown = value
    if (!typing) input.value = value
  }
  input.addEventListener("input", () => { typing = true })
  input.addEventListener("change", () => done(input.value))
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { typing = false; input.value = input.dataset.shown }
    if (["Enter", "Escape"].includes(event.key)) input.blur()
  })
  return {input, show}
}

const kinds = {
  number(control, send) {
    const {input, show} = field(control, send, {inputmode: "decimal"})
    const slider = node("input", {type: "range", step: control.step, "aria-label": control.label,
      min: position(control, control.low), max: position(control, control.high)})
    const paint = () => {
      const part = (slider.value - slider.min) / (slider.max - slider.min)
      slider.style.setProperty("--part", `${100 * part}%`)
      slider.setAttribute("aria-valuetext", input.value)
    }
    let held = false
    slider.addEventListener("input", () => {
      held = true
      input.value = plain(valueAt(control, Number(slider.value)))
      paint()
    })
    slider.addEventListener("change", () => {
      held = false
      send(valueAt(control, Number(slider.value)))
    })
    return {parts: [input, slider], show(value) {
      if (held) return
      show(plain(value))
      slider.value = position(control, value)
      paint()
    }}
  },

  integer(control, send) {
    const {input, show} = field(control, send, {inputmode: "numeric"})
    const move = (by) => send(Number(input.dataset.shown) + by)
    const button = (text, by, name) => {
      const element = node("button", {type: "button", class: "step",
        "aria-label": `${control.label}: ${name}`}, text)
      element.addEventListener("click", () => move(by))
      return element
    }
    input.addEventListener("keydown", (event) => {
      const by = {ArrowUp: 1, ArrowDown: -1}[event.key]
      if (by) { event.preventDefault(); move(by) }
    })
    const box = node("div", {class: "stepper"},
      button("−", -1, "less"), input, button("+", 1, "more"))
    return {parts: [box], show: (value) => show(String(value))}
  },

  choice(control, send) {
    const radios = control.options.map((option) => {
      const radio = node("input", {type: "radio", name: control.id, value: option})
      radio.addEventListener("change", () => send(option))
      return radio
    })
    const labels = radios.map((radio) => node("label", {}, radio, node("span", {}, radio.value)))
    const group = node("div", {class: "options", role: "radiogroup", "aria-label": control.label},
      ...labels)
    return {parts: [group], show(value) {
      for (const radio of radios) radio.checked = radio.value === value
    }}
  },

  switch(control, send) {
    const box = node("input", {type: "checkbox", role: "switch", id: control.id,
      class: control.warns ? "warns" : false})
    box.addEventListener("change", () => send(box.checked))
    return {parts: [box], show: (value) => { box.checked = value }}
  },

  text(control, send) {
    const {input, show} = field(control, send)
    return {parts: [input], show}
  },
}

const build = (control, send) => {
  const {parts, show} = kinds[control.kind](control, send)
  const doc = node("span", {class: "doc", role: "tooltip", id: `${control.id}-doc`}, control.doc)
  const info = node("button", {type: "button", class: "info", "aria-label": control.doc}, "i")
  const label = node("label", {for: control.id}, control.label)
  const head = node("div", {class: "head"}, label, info)
  const element = node("div", {class: `control ${control.kind}`, "data-name": control.name},
    head, ...parts, doc)
  return {element, show}
}

const card = (section, rows) => {
  const of = (live) => section.controls.filter((control) => control.live === live)
    .map((control) => rows[control.name].element)
  const waiting = of(false)
  const note = "A change of these needs a new network and waits for “Apply and restart”."
  const body = node("div", {class: "body"}, ...of(true))
  if (waiting.length) {
    body.append(node("p", {class: "on-reset", title: note}, "on reset"),
      node("div", {class: "waiting"}, ...waiting))
  }
  const title = node("summary", {}, section.title)
  return node("details", {class: "card", open: section.open}, title, body)
}

export function render({model, el}) {
  const rows = {}
  const refresh = () => {
    for (const [name, row] of Object.entries(rows)) {
      row.show(model.values[name])
      row.element.classList.toggle("pending", model.pending.includes(name))
    }
  }
  for (const section of model.sections) {
    for (const control of section.controls) {
      const send = (value) => model.send_msg({name: control.name, value})
      rows[control.name] = build({...control, id: `bim-${control.name}`}, send)
    }
    el.append(card(section, rows))
  }
  model.on("values", refresh)
  model.on("pending", refresh)
  model.on("msg:custom", refresh)
  refresh()
}
