// The browser's side of the feed: which tick it has painted, and whether it is hidden. See feed.py.

// What BokehJS does at every paint and nobody sees. Each of these makes the browser work out the
// styles of the page once more; together they are more than half of what a paint costs.
const LEAN = {
  // The style sheet of every part of a plot is written anew, changed or not.
  calm(sheet) {
    let proto = sheet && Object.getPrototypeOf(sheet)
    while (proto && !Object.hasOwn(proto, "_update")) proto = Object.getPrototypeOf(proto)
    replace(proto, "_update", write => function(css) {
      if (this.el.textContent !== css) write.call(this, css)
    })
  },
  // Every colour, width and font is looked up in style sheets, of which none here changes them.
  remember(bokeh) {
    const visuals = bokeh?.require?.("core/visuals/visual")
    replace(visuals?.VisualProperties?.prototype, "_get_css_value", ask => function(name) {
      const known = this._known_css ??= new Map()
      if (!known.has(name)) known.set(name, ask.call(this, name))
      return known.get(name)
    })
  },
  // An invisible box is moved to where the data of every line and every set of points lie.
  settle(bokeh) {
    const renderers = bokeh?.require?.("models/renderers/glyph_renderer")
    replace(renderers?.GlyphRendererView?.prototype, "update_position", () => function() {})
  },
  // Whether the labels of an axis need more room is measured twice a second, and at rest.
  measure(bokeh) {
    const plots = bokeh?.require?.("models/plots/plot_canvas")
    replace(plots?.PlotView?.prototype, "_invalidate_layout_if_needed", measure => function() {
      clearTimeout(this._measuring)
      const now = performance.now()
      if (this._needs_layout || now > (this._measured ?? 0) + 500) {
        this._measured = now
        measure.call(this)
      } else {
        this._measuring = setTimeout(() => this.repaint(), 600)
      }
    })
  },
  // The upper of a plot's two canvases is drawn anew whenever an axis moves, mostly with nothing.
  leave(bokeh) {
    const plots = bokeh?.require?.("models/plots/plot_canvas")
    const above = part => part.model.level === "overlay"
    replace(plots?.PlotView?.prototype, "_actual_paint", paint => function() {
      const shown = this.computed_renderer_views.some(part => above(part) && part.model.visible)
      if (this._invalidate_all && !shown && ![...this._invalidated_painters].some(above)) {
        this._invalidate_all = false
        this._invalidated_painters.add({model: {level: "glyph"}})
      }
      paint.call(this)
    })
  },
}

function replace(proto, name, change) {
  if (!proto?.[name] || proto[name].lean) return
  proto[name] = change(proto[name])
  proto[name].lean = true
}

export function render({model, view}) {
  LEAN.calm(view.display)
  LEAN.remember(window.Bokeh)
  LEAN.settle(window.Bokeh)
  LEAN.measure(window.Bokeh)
  LEAN.leave(window.Bokeh)
  const painted = () => { model.painted = model.tick }
  // A timer set in a frame fires when that frame, in which Bokeh draws, has been painted.
  const paint = () => requestAnimationFrame(() => setTimeout(painted))
  const look = () => { model.away = document.hidden; paint() }
  document.addEventListener("visibilitychange", look)
  model.on("tick", paint)
  model.on("remove", () => document.removeEventListener("visibilitychange", look))
  look()
}
