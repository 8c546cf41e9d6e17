"use strict";
(() => {
  // Filters of a leaderboard; without a script every row is shown.
  const rows = [...document.querySelectorAll("#numbers tbody tr")];
  const selects = [...document.querySelectorAll("#filters select")];
  const arm = document.getElementById("filter-arm");
  const filter = () => {
    const text = arm.value.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const values = JSON.parse(row.dataset.filters);
      row.hidden = !row.dataset.arm.toLowerCase().includes(text)
        || selects.some((select) => select.value && values[select.dataset.column] !== select.value);
      shown += row.hidden ? 0 : 1;
    }
    document.getElementById("filter-count").textContent = `${shown} of ${rows.length} rows`;
  };
  for (const select of selects) select.addEventListener("change", filter);
  arm.addEventListener("input", filter);
  const metric = selects.find((select) => select.dataset.name === "metric");
  if (metric) {
    // the first metric of the suite, unless that hides a comparison
    const first = metric.options[1].value, column = metric.dataset.column;
    const of = (wanted) => new Set(rows.map((row) => JSON.parse(row.dataset.filters)).filter(wanted).map((values) => values[0]));
    if (of((values) => values[column] === first).size === of(() => true).size) metric.selectedIndex = 1;
  }
  document.getElementById("filters").hidden = false;
  filter();
})();
