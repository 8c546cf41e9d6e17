"use strict";
(() => {
  const published = document.getElementById("show-published");  // null: no table has a reference
  published?.addEventListener("change", () => document.body.classList.toggle("with-published", published.checked));

  // A figure in large; Escape closes it, as of any dialog.
  const enlarged = document.getElementById("enlarged");
  const [large, file] = ["enlarged-picture", "enlarged-file"].map((name) => document.getElementById(name));
  for (const button of document.querySelectorAll(".enlarge")) {
    button.addEventListener("click", () => {
      const small = button.querySelector("img");
      Object.assign(large, { src: small.src, alt: small.alt });
      Object.assign(file, { href: small.src, download: small.dataset.name });
      enlarged.showModal();
    });
  }
  document.getElementById("enlarged-close").addEventListener("click", () => enlarged.close());
  enlarged.addEventListener("click", (event) => { if (event.target === enlarged) enlarged.close(); });

  // On paper nothing can be opened; what is long and for reference alone is printed if it is open.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open], .reference)")];
    opened.forEach((part) => { part.open = true; });
  });
  window.addEventListener("afterprint", () => opened.forEach((part) => { part.open = false; }));

  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  if (!data.maps.length) return;

  const byId = (name) => document.getElementById("explorer-" + name);
  const canvas = byId("canvas");
  const pen = canvas.getContext("2d");
  const image = byId("image");
  const pictures = data.sheets.map((sheet) => Object.assign(new Image(), { src: sheet.picture }));
  const state = { map: null, projection: "", points: [], visible: [], current: -1, hidden: new Set() };

  const unique = (values) => [...new Set(values)];
  const fill = (select, values, keep) => {
    select.replaceChildren(...values.map((value) => Object.assign(document.createElement("option"), { value, textContent: value })));
    select.value = values.includes(keep) ? keep : values[0];
  };

  // Choices narrow each other from left to right; what was chosen stays where it can.
  const choose = () => {
    const [comparison, dataset, encoder, map] = ["comparison", "dataset", "encoder", "map"].map(byId);
    fill(comparison, unique(data.maps.map((item) => item.comparison)), comparison.value);
    const inComparison = data.maps.filter((item) => item.comparison === comparison.value);
    fill(dataset, unique(inComparison.map((item) => item.dataset)), dataset.value);
    const inDataset = inComparison.filter((item) => item.dataset === dataset.value);
    fill(encoder, inDataset.map((item) => item.encoder), encoder.value);
    state.map = inDataset.find((item) => item.encoder === encoder.value);
    fill(map, Object.keys(state.map.projections), map.value);
    state.projection = map.value;
    listClasses();
    place();
  };

  const sheetOf = () => data.sheets[state.map.sheet];
  const colour = (label) => data.colours[label % data.colours.length];
  const shape = (label) => Math.floor(label / data.colours.length) % 3;

  const listClasses = () => {
    const sheet = sheetOf();
    byId("classes").replaceChildren(...sheet.classes.map((name, label) => {
      const line = document.createElement("label");
      const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: !state.hidden.has(name) });
      box.addEventListener("change", () => { box.checked ? state.hidden.delete(name) : state.hidden.add(name); place(); });
      const key = Object.assign(document.createElement("canvas"), { width: 14, height: 14 });
      mark(key.getContext("2d"), 7, 7, 5, label);
      const count = sheet.labels.filter((found) => found === label).length;
      line.append(box, key, `${name} (${count})`);
      return line;
    }));
  };

  const mark = (to, x, y, radius, label) => {
    to.fillStyle = colour(label);
    to.beginPath();
    if (shape(label) === 0) to.arc(x, y, radius, 0, 7);
    else if (shape(label) === 1) to.rect(x - radius, y - radius, 2 * radius, 2 * radius);
    else { to.moveTo(x, y - radius); to.lineTo(x + radius, y + radius); to.lineTo(x - radius, y + radius); to.closePath(); }
    to.fill();
  };

  const place = () => {
    const sheet = sheetOf();
    const wrong = byId("wrong").checked;
    byId("wrong").disabled = !state.map.predicted;
    state.points = state.map.projections[state.projection];
    state.visible = sheet.labels.map((label, at) => at).filter((at) =>
      !state.hidden.has(sheet.classes[sheet.labels[at]]) &&
      !(wrong && state.map.predicted && state.map.predicted[at] === sheet.labels[at]));
    if (!state.visible.includes(state.current)) state.current = -1;
    const values = Object.entries(state.map.silhouette).map(([number, value]) => `silhouette in ${number} components ${value.toFixed(3)}`);
    byId("about").textContent = [`${state.visible.length} of ${sheet.labels.length} test images`, ...values,
      state.map.classifier && `predictions: ${state.map.classifier}`, sheet.licence && `licence of the images: ${sheet.licence}`].filter(Boolean).join(" · ");
    draw();
    say();
  };

  const where = (at) => {
    const side = canvas.clientWidth, height = canvas.clientHeight, pad = 16;
    const scale = Math.min(side, height) - 2 * pad;
    return [(side - scale) / 2 + (state.points[2 * at] / 65535) * scale, height - (height - scale) / 2 - (state.points[2 * at + 1] / 65535) * scale];
  };

  const draw = () => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    const sheet = sheetOf();
    const radius = state.visible.length > 800 ? 3 : 4;
    pen.globalAlpha = 0.8;
    for (const at of state.visible) mark(pen, ...where(at), radius, sheet.labels[at]);
    pen.globalAlpha = 1;
    if (state.current >= 0) {
      const [x, y] = where(state.current);
      mark(pen, x, y, radius + 2, sheet.labels[state.current]);
      pen.strokeStyle = "#000";
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(x, y, radius + 6, 0, 7);
      pen.stroke();
    }
  };

  const line = (text, kind) => Object.assign(document.createElement("div"), { textContent: text, className: kind || "" });

  const say = () => {
    const to = image.getContext("2d");
    to.clearRect(0, 0, image.width, image.height);
    const said = byId("said");
    const at = state.current;
    if (at < 0) { said.textContent = "No image is pointed at."; return; }
    const sheet = sheetOf();
    const [x, y] = [at % sheet.columns, Math.floor(at / sheet.columns)];
    to.imageSmoothingEnabled = false;
    to.drawImage(pictures[state.map.sheet], x * sheet.width, y * sheet.height, sheet.width, sheet.height, 0, 0, image.width, image.height);
    const lines = [line(`test image ${sheet.index[at]}`), line(`label: ${sheet.classes[sheet.labels[at]]}`)];
    if (state.map.predicted) {
      const right = state.map.predicted[at] === sheet.labels[at];
      lines.push(line(`prediction: ${sheet.classes[state.map.predicted[at]]}, ${state.map.percent[at]} %`), line(right ? "right" : "wrong", right ? "right" : "wrong"));
    }
    said.replaceChildren(...lines);
  };

  const point = (at) => {
    if (at === state.current) return;
    state.current = at;
    draw();
    say();
  };

  const nearest = (x, y, reach) => {
    let best = -1, least = reach * reach;
    for (const at of state.visible) {
      const [px, py] = where(at);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least) { least = distance; best = at; }
    }
    return best;
  };

  for (const kind of ["pointermove", "pointerdown"]) {
    canvas.addEventListener(kind, (event) => {
      const at = nearest(event.offsetX, event.offsetY, event.pointerType === "touch" ? 40 : 14);
      if (at >= 0) point(at);
    });
  }

  // Arrow keys go to the nearest dot within a quarter turn of the direction.
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Escape") { point(-1); return; }
    if (!way || !state.visible.length) return;
    event.preventDefault();
    if (state.current < 0) { point(nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, Infinity)); return; }
    const [x, y] = where(state.current);
    let best = -1, least = Infinity;
    for (const at of state.visible) {
      const [px, py] = where(at);
      const along = (px - x) * way[0] + (py - y) * way[1];
      const across = Math.abs((px - x) * way[1]) + Math.abs((py - y) * way[0]);
      if (at === state.current || along <= 0.5 || across > along) continue;
      if (along + across < least) { least = along + across; best = at; }
    }
    if (best >= 0) point(best);
  });

  for (const name of ["comparison", "dataset", "encoder", "map"]) byId(name).addEventListener("change", choose);
  byId("wrong").addEventListener("change", place);
  byId("all").addEventListener("click", () => { state.hidden.clear(); listClasses(); place(); });
  byId("none").addEventListener("click", () => { sheetOf().classes.forEach((name) => state.hidden.add(name)); listClasses(); place(); });
  window.addEventListener("resize", draw);
  pictures.forEach((picture) => picture.addEventListener("load", say));
  choose();
})();
