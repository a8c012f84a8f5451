const figures = (function () {
  const SVG = "http:" + "//www.w3.org/2000/svg";

  function element(name, attributes, text) {
    const node = document.createElementNS(SVG, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function decimals(width, kind) {
    const shown = Math.abs(width) * (kind === "share" ? 100 : 1) / (kind === "share" ? 2 : 10);
    if (!(shown > 0)) return 1;
    const needed = Math.ceil(-Math.log10(shown) - 1e-9);
    return kind === "share" ? Math.min(Math.max(needed, 0), 1) : Math.min(needed, 4);
  }

  function number(value, width, kind) {
    const places = decimals(width, kind);
    const unit = Math.pow(10, places);
    const shown = Math.round(value * (kind === "share" ? 100 : 1) * unit) / unit + 0;
    const digits = Math.max(places, 0);
    const text = shown.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return text.replace("-", "\u2212") + (kind === "share" ? "%" : "");
  }

  function interval(low, high, kind) {
    return number(low, high - low, kind) + " to " + number(high, high - low, kind);
  }

  function step(span) {
    const raw = span / 4;
    const ten = Math.pow(10, Math.floor(Math.log10(raw)));
    return ten * (raw / ten < 1.5 ? 1 : raw / ten < 3.5 ? 2 : raw / ten < 7.5 ? 5 : 10);
  }

  /* Rows of {label, mean, low, high}; the last is the nation, whose figure is drawn through all. */
  function intervals(rows, kind, narrow) {
    const width = narrow ? 340 : 640, left = narrow ? 12 : 210, line = narrow ? 46 : 30, top = 10;
    const height = top + rows.length * line + 34;
    const low = Math.min.apply(null, rows.map(function (r) { return r.low; }));
    const high = Math.max.apply(null, rows.map(function (r) { return r.high; }));
    const room = (high - low) * 0.06 || 0.01;
    const from = low - room, span = high - low + 2 * room;
    const x = function (v) { return left + (v - from) / span * (width - left - 12); };
    const said = rows.map(function (r) { return r.label + " " + number(r.mean, r.high - r.low, kind) + " (" + interval(r.low, r.high, kind) + ")"; });
    const svg = element("svg", { viewBox: "0 0 " + width + " " + height, role: "img", "aria-label": "Estimate and 90% interval: " + said.join("; ") });
    const gap = step(span);
    for (let v = Math.ceil(from / gap) * gap; v <= from + span; v += gap) {
      svg.appendChild(element("line", { x1: x(v), x2: x(v), y1: top, y2: height - 26, stroke: "#d5dae0", "stroke-width": 1 }));
      svg.appendChild(element("text", { x: x(v), y: height - 8, "text-anchor": "middle", "font-size": 12.5, fill: "#566270" }, number(v, gap * (kind === "share" ? 2 : 10), kind)));
    }
    const nation = x(rows[rows.length - 1].mean);
    svg.appendChild(element("line", { x1: nation, x2: nation, y1: top, y2: height - 26, stroke: "#1b2430", "stroke-width": 1 }));
    rows.forEach(function (r, k) {
      const y = top + k * line + (narrow ? 32 : line / 2);
      const colour = k === 0 ? (r.grey ? "#8a94a0" : "#0b5394") : "#566270";
      svg.appendChild(element("line", { x1: x(r.low), x2: x(r.high), y1: y, y2: y, stroke: colour, "stroke-width": k === 0 ? 7 : 4, "stroke-opacity": 0.5 }));
      svg.appendChild(element("circle", { cx: x(r.mean), cy: y, r: k === 0 ? 6 : 4.5, fill: colour, stroke: "#ffffff", "stroke-width": 1.5 }));
      const label = r.label.length > 30 ? r.label.slice(0, 29) + "…" : r.label;
      svg.appendChild(element("text", { x: narrow ? left : left - 12, y: narrow ? y - 13 : y + 4.5, "text-anchor": narrow ? "start" : "end", "font-size": 13.5, "font-weight": k === 0 ? 700 : 400, fill: "#1b2430" }, label));
    });
    return svg;
  }

  return { number: number, interval: interval, intervals: intervals };
})();
