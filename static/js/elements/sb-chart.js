/**
 * `<sb-chart data-src data-title>` draws a figure when it comes into view, in the colours of the tokens.
 * The table beside it is the truth; the drawing may fail without loss.
 */
class Chart extends HTMLElement {
  #seen = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && this.load());
  #scheme = matchMedia("(prefers-color-scheme: dark)");

  connectedCallback() {
    this.#seen.observe(this);
    this.#scheme.addEventListener("change", this.draw);
  }

  disconnectedCallback() {
    this.#seen.disconnect();
    this.#scheme.removeEventListener("change", this.draw);
    if (this.figure) globalThis.Plotly?.purge(this);
  }

  async load() {
    this.#seen.disconnect();
    try {
      const [answer] = await Promise.all([
        fetch(this.dataset.src, { headers: { Accept: "application/json" } }),
        import("../../vendor/plotly-basic.min.js"),
      ]);
      if (!answer.ok) throw new Error(`figure: ${answer.status}`);
      this.figure = await answer.json();
      await this.draw();
    } catch (error) {
      this.dataset.state = "failed";
      this.textContent = "The drawing could not be loaded; the table below has every figure.";
      console.warn("sb-chart", error);
    }
  }

  draw = async () => {
    if (!this.figure) return;
    const { data, layout = {} } = structuredClone(this.figure);
    const look = lookOf(this);
    const full = { ...look, ...layout };
    for (const trace of data) {
      if (trace.meta?.hue !== undefined) trace.line = { ...trace.line, color: look.colorway[trace.meta.hue] };
    }
    for (const axis of ["xaxis", "yaxis"]) full[axis] = { ...look[axis], ...layout[axis] };
    const options = { displayModeBar: false, responsive: true };
    await globalThis.Plotly.react(this, data, full, options);
    this.querySelector("svg.main-svg")?.setAttribute("aria-hidden", "true");
    this.dataset.state = "drawn";
  };
}

/** @param {Element} element @returns {Record<string, any>} a layout made from our tokens */
function lookOf(element) {
  const probe = document.createElement("span");
  element.append(probe);
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const axis = {
    gridcolor: colour("rule"),
    linecolor: colour("edge"),
    zerolinecolor: colour("edge"),
    tickcolor: colour("edge"),
    automargin: true,
  };
  const look = {
    colorway: [1, 2, 3, 4, 5].map((n) => colour(`chart-${n}`)).concat(colour("edge")),
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("ink-2"), size: 12, family: getComputedStyle(element).fontFamily },
    hoverlabel: { bgcolor: colour("surface"), bordercolor: colour("edge"), font: { color: colour("ink") } },
    legend: { orientation: "h", y: -0.2 },
    margin: { l: 48, r: 16, t: 12, b: 40 },
    height: 300,
    autosize: true,
    bargap: 0.3,
    xaxis: axis,
    yaxis: { ...axis },
  };
  probe.remove();
  return look;
}

customElements.define("sb-chart", Chart);
