"use strict";
(() => {
  // Sorting: a click on a column's head, first falling, then rising, then as it was.
  for (const table of document.querySelectorAll("table.grid")) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    table.querySelectorAll(".sort button").forEach((button, column) => {
      button.addEventListener("click", () => {
        const head = button.parentElement;
        const next = { none: "descending", descending: "ascending", ascending: "none" }[head.getAttribute("aria-sort") || "none"];
        table.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
        const rows = [...original];
        if (next !== "none") {
          head.setAttribute("aria-sort", next);
          const sign = next === "descending" ? -1 : 1;
          const value = (row) => {
            const cell = row.cells[column];
            return cell.dataset.value === undefined ? cell.textContent : cell.dataset.value === "" ? NaN : Number(cell.dataset.value);
          };
          rows.sort((a, b) => {
            const [x, y] = [value(a), value(b)];
            if (typeof x === "string") return sign * x.localeCompare(y, undefined, { numeric: true });
            if (Number.isNaN(x)) return Number.isNaN(y) ? 0 : 1; // what has no number stands last either way
            return Number.isNaN(y) ? -1 : sign * (x - y);
          });
        }
        body.append(...rows);
      });
    });
  }
})();
