"use strict";
(function () {
  function value(row, column) {
    const cell = row.cells[column];
    const raw = cell.dataset.sort === undefined ? cell.textContent : cell.dataset.sort;
    const number = Number(raw);
    return raw !== "" && !Number.isNaN(number) ? number : raw.toLowerCase();
  }

  function compare(a, b) {
    if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
    return typeof a === "number" ? -1 : 1;
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach(function (h) { h.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const body = table.tBodies[0];
        const keyed = Array.from(body.rows, function (row) { return [value(row, column), row]; });
        keyed.sort(function (a, b) { return up ? compare(a[0], b[0]) : compare(b[0], a[0]); });
        keyed.forEach(function (pair) { body.appendChild(pair[1]); });
      });
    });
  }

  window.addEventListener("beforeprint", function () {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
})();
