// The browser's part of the page: keys, the address bar, the clipboard. See panels/browser.py.

// Keys belong to the field that is being typed in, and Space to what was reached by Tab.
const typing = "input:not([type=range], [type=radio], [type=checkbox]), textarea, [contenteditable], "
  + "[role=menu], [role=menuitem], [role=listbox], [role=option]"
const takesSpace = ":is(button, a, summary, input:not([type=range]), [role=button]):focus-visible, "
  + "[role=combobox]"

// Pages that come neither from this machine nor by https have no clipboard interface.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const field = document.createElement("textarea")
    field.value = text
    document.body.append(field)
    field.select()
    const done = document.execCommand("copy")
    field.remove()
    return done
  }
}

export function render({model}) {
  const press = (event) => {
    const target = event.composedPath()[0]
    const key = event.key === " " ? "Space" : event.key
    const meant = model.keys.includes(key) && !target.matches?.(typing)
    if (!meant || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return
    if (key === "Space" && target.matches?.(takesSpace)) return
    event.preventDefault()
    model.send_msg({key})
  }
  const show = () => {
    history.replaceState(history.state, "", location.pathname + model.query + location.hash)
  }
  document.addEventListener("keydown", press)
  model.on("query", show)
  model.on("msg:custom", async (message) => {
    const link = location.origin + location.pathname + message.copy
    model.send_msg({link, done: await copy(link)})
  })
  const width = window.matchMedia(`(max-width: ${model.drawer - 0.1}px)`)
  const measure = () => { model.narrow = width.matches }
  width.addEventListener("change", measure)
  model.on("remove", () => {
    document.removeEventListener("keydown", press)
    width.removeEventListener("change", measure)
  })
  if (model.query) show()
  measure()
}
