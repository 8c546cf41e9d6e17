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
  if (metric) metric.selectedIndex = 1; // the first metric of the suite
  document.getElementById("filters").hidden = false;
  filter();
})();
