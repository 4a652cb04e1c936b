/* viewer.js - three planes of the study's atlas, or of the schematic brain, on canvas: click to move the crosshair, arrows and page keys as well. */
'use strict';

/* The run-length text as one label per voxel, x fastest. */
function decodeBrain(brain) {
  const bytes = Uint8Array.from(atob(brain.rle), (c) => c.charCodeAt(0));
  const labels = new Uint16Array(brain.shape[0] * brain.shape[1] * brain.shape[2]);
  for (let i = 0, at = 0; i < bytes.length; i += 3) {
    labels.fill(bytes[i] | bytes[i + 1] << 8, at, at + bytes[i + 2]);
    at += bytes[i + 2];
  }
  return labels;
}

/* across, up: the axes of the picture; through: the axis it cuts. Left stands left. */
const PLANES = [
  {name: 'sagittal', across: 1, up: 2, through: 0, ends: ['P', 'A']},
  {name: 'coronal', across: 0, up: 2, through: 1, ends: ['L', 'R']},
  {name: 'axial', across: 0, up: 1, through: 2, ends: ['L', 'R']},
];

const GREY = {
  tissue: [213, 209, 201],
  missing: [140, 142, 146]
};

/* What is drawn, for the line below the slices. */
function atlasNote(brain) {
  const keys = 'Left is on the left. Click, drag or use the arrow and page keys.';
  if (!brain.atlas)
    return 'Schematic: regions are drawn around their published centres inside a stylised outline. It helps to find one’s way; it is no anatomical atlas. ' +
        keys;
  const size = [...new Set(brain.stored_mm.map((v) => num(v, 1)))].join(' × ');
  return `The study’s own atlas, ${brain.atlas}` +
      (brain.resampled ? `, stored at ${size} mm and shown at ${num(brain.step[0], 1)} mm: each voxel takes the label that fills most of it. ` :
                         `, at its own ${size} mm. `) +
      keys;
}

function createViewer(brain, regions) {
  const labels = decodeBrain(brain), {shape, origin, step} = brain;
  const state = {values: [], title: '', unit: '', reach: 1, at: [0, 0, 0]};
  const index = (mm) => mm.map((v, a) => Math.max(0, Math.min(shape[a] - 1, Math.round((v - origin[a]) / step[a]))));
  const labelAt = (ijk) => labels[ijk[0] + shape[0] * (ijk[1] + shape[1] * ijk[2])];

  const readout = h('p', {class: 'readout', 'aria-live': 'polite'});
  const bar = h('div', {class: 'colourbar'});
  const heading = h('h3', {});
  const canvases = PLANES.map((plane) => h('canvas', {
                                tabindex: '0',
                                role: 'img',
                                class: 'slice ' + plane.name,
                                onpointerdown: (e) => {
                                  moveTo(plane, e);
                                  e.target.setPointerCapture(e.pointerId);
                                },
                                onpointermove: (e) => {
                                  if (e.buttons & 1)
                                    moveTo(plane, e);
                                  else
                                    hover(plane, e);
                                },
                                onpointerleave: () => describe(state.at),
                                onkeydown: (e) => key(plane, e),
                              }));

  function pixel(label) {
    if (label === 0) return null;
    if (label > regions.length) return GREY.tissue;
    const v = state.values[label - 1];
    return known(v) ? diverging(v / state.reach) : GREY.missing;
  }

  /* The slice as an image of voxels; its edges fade because the canvas scales it smoothly. */
  function slice(plane, cut) {
    const w = shape[plane.across], hgt = shape[plane.up], image = new ImageData(w, hgt), ijk = [0, 0, 0];
    ijk[plane.through] = cut;
    for (let y = 0; y < hgt; y++) {
      for (let x = 0; x < w; x++) {
        ijk[plane.across] = x;
        ijk[plane.up] = hgt - 1 - y;
        const label = labelAt(ijk), rgb = pixel(label), o = 4 * (x + w * y);
        if (!rgb) continue;
        const edge = [plane.across, plane.up].some((a) => {
          const next = ijk.slice();
          next[a] = Math.min(shape[a] - 1, next[a] + 1);
          return labelAt(next) !== label;
        });
        for (let k = 0; k < 3; k++) image.data[o + k] = edge ? Math.round(rgb[k] * 0.82) : rgb[k];
        image.data[o + 3] = 255;
      }
    }
    return image;
  }

  function drawPlane(plane, canvas) {
    const scale = 4, w = shape[plane.across], hgt = shape[plane.up], cut = index(state.at);
    canvas.width = w * scale;
    canvas.height = hgt * scale;
    const source = document.createElement('canvas');
    source.width = w;
    source.height = hgt;
    source.getContext('2d').putImageData(slice(plane, cut[plane.through]), 0, 0);
    const g = canvas.getContext('2d');
    g.imageSmoothingQuality = 'high';
    g.drawImage(source, 0, 0, canvas.width, canvas.height);
    const x = (cut[plane.across] + 0.5) * scale, y = (hgt - 0.5 - cut[plane.up]) * scale;
    g.strokeStyle = getComputedStyle(canvas).color;
    g.globalAlpha = 0.55;
    g.beginPath();
    g.moveTo(x, 0);
    g.lineTo(x, y - 9);
    g.moveTo(x, y + 9);
    g.lineTo(x, canvas.height);
    g.moveTo(0, y);
    g.lineTo(x - 9, y);
    g.moveTo(x + 9, y);
    g.lineTo(canvas.width, y);
    g.stroke();
    g.globalAlpha = 1;
    g.fillStyle = g.strokeStyle;
    const size = Math.max(16, canvas.width / 19); /* the canvas is scaled to its place on the page */
    g.font = `600 ${size}px system-ui, sans-serif`;
    g.fillText(plane.ends[0], 5, size + 3);
    g.textAlign = 'right';
    g.fillText(plane.ends[1], canvas.width - 5, size + 3);
    g.font = `${0.82 * size}px system-ui, sans-serif`;
    g.fillText(`${'xyz'[plane.through]} = ${num(state.at[plane.through], 0)} mm`, canvas.width - 5, canvas.height - 7);
    canvas.setAttribute(
        'aria-label', `${plane.name} slice at ${'xyz'[plane.through]} = ${state.at[plane.through]} mm of ${state.title}`);
  }

  function describe(mm) {
    const label = labelAt(index(mm));
    const name = label === 0   ? (brain.atlas ? 'outside the atlas' : 'outside the drawing') :
        label > regions.length ? 'tissue without a region' :
                                 regions[label - 1].name;
    const value = label > 0 && label <= regions.length ? state.values[label - 1] : NaN;
    readout.replaceChildren(
        h('b', {}, name), h('span', {}, ` (${mm.map((v) => num(v, 0)).join(', ')}) mm`),
        label > 0 && label <= regions.length ? h('span', {class: 'value'}, known(value) ? signed(value, 3) : 'no value') : null);
  }

  function place(plane, e) {
    const box = e.target.getBoundingClientRect(), mm = state.at.slice();
    const along = (a, f) => origin[a] + step[a] * Math.max(0, Math.min(shape[a] - 1, Math.floor(f * shape[a])));
    mm[plane.across] = along(plane.across, (e.clientX - box.left) / box.width);
    mm[plane.up] = along(plane.up, 1 - (e.clientY - box.top) / box.height);
    return mm;
  }
  function hover(plane, e) {
    describe(place(plane, e));
  }
  function moveTo(plane, e) {
    state.at = place(plane, e);
    draw();
  }

  function key(plane, e) {
    const moves = {
      ArrowLeft: [plane.across, -1],
      ArrowRight: [plane.across, 1],
      ArrowUp: [plane.up, 1],
      ArrowDown: [plane.up, -1],
      PageUp: [plane.through, 1],
      PageDown: [plane.through, -1]
    };
    const move = moves[e.key];
    if (!move) return;
    e.preventDefault();
    const [a, way] = move;
    state.at = state.at.slice();
    state.at[a] = Math.max(origin[a], Math.min(origin[a] + step[a] * (shape[a] - 1), state.at[a] + way * step[a]));
    draw();
  }

  function drawBar() {
    const w = 260, stops = DIVERGING.map((c, i) => svg('stop', {offset: i / (DIVERGING.length - 1), 'stop-color': `rgb(${c})`}));
    bar.replaceChildren(
        picture(
            w + 40, 40, `colours from ${num(-state.reach)} to ${num(state.reach)} ${state.unit}`,
            svg('defs', {}, svg('linearGradient', {id: 'diverging'}, stops)),
            svg('rect', {x: 20, y: 2, width: w, height: 12, fill: 'url(#diverging)', rx: 2}),
            [-1, -0.5, 0, 0.5, 1].map(
                (t) => svg(
                    'text', {x: 20 + w * (t + 1) / 2, y: 30, class: 'small', 'text-anchor': 'middle'}, signed(t * state.reach)))),
        h('span', {class: 'unit'}, state.unit), h('span', {class: 'swatch missing'}, 'no value'),
        h('span', {class: 'swatch tissue'}, 'no region'));
  }

  function draw() {
    PLANES.forEach((plane, i) => drawPlane(plane, canvases[i]));
    describe(state.at);
  }

  /* The voxel of a region that lies nearest to its centre: an atlas's region may be bent around it. */
  function nearest(region) {
    const centre = regions[region].mm;
    let best = null, least = Infinity;
    for (let v = 0; v < labels.length; v++) {
      if (labels[v] !== region + 1) continue;
      const ijk = [v % shape[0], Math.floor(v / shape[0]) % shape[1], Math.floor(v / (shape[0] * shape[1]))];
      const mm = ijk.map((x, a) => origin[a] + step[a] * x), d = mm.reduce((s, x, a) => s + (x - centre[a]) ** 2, 0);
      if (d < least) [best, least] = [mm, d];
    }
    return best || centre.map((v, a) => origin[a] + step[a] * Math.round((v - origin[a]) / step[a]));
  }

  /* Shows one value per region; the crosshair goes to the region that stands out most. */
  function show(title, unit, values) {
    const order = values.map((v, i) => [known(v) ? Math.abs(v) : -1, i]).sort((a, b) => b[0] - a[0]);
    Object.assign(state, {title, unit, values, reach: order.length && order[0][0] > 0 ? order[0][0] : 1});
    if (order.length && order[0][0] > 0) state.at = nearest(order[0][1]);
    heading.textContent = title;
    drawBar();
    draw();
  }

  const node = h(
      'div', {class: 'viewer'}, heading,
      h('div', {class: 'planes'}, PLANES.map((plane, i) => h('figure', {}, canvases[i], h('figcaption', {}, plane.name)))),
      readout, bar,
      h('p', {class: 'note'}, atlasNote(brain)));
  return {node, show, state, labelAt, index, canvases};
}
