// The canvas: its strokes, Undo and Clear in the browser, and what the browser keeps of them.
// canvas.js, answer.js and network.js are one module; Streamlit calls the function that it exports.
const KEPT = "digits"; // in sessionStorage: it outlives a reload and goes with the tab
const places = new WeakMap(); // component element -> state
const paper = document.createElement("canvas");
const pen = paper.getContext("2d", { alpha: false, willReadFrequently: true });
const toolbarStyle = new CSSStyleSheet();
toolbarStyle.replaceSync(".dc-toolbar { display: none !important }");

function keep(changes) {
  const kept = { ...JSON.parse(sessionStorage.getItem(KEPT) ?? "{}"), ...changes };
  if (changes) sessionStorage.setItem(KEPT, JSON.stringify(kept));
  return kept;
}

/** Copy the drawing to `paper`: finished strokes lie on the lower canvas, the current one above. */
function copyDrawing(canvas) {
  [paper.width, paper.height] = [canvas.width, canvas.height];
  for (const layer of canvas.parentElement.querySelectorAll("canvas")) pen.drawImage(layer, 0, 0);
  return paper;
}

/** The drawing as PNG, base64. toBlob would wait 17 ms for an idle moment; this takes 1 ms. */
function png(canvas) {
  return copyDrawing(canvas).toDataURL().split(",")[1];
}

/** Find the canvas in the shadow root of its component, which may come after this one. */
function findCanvas(state) {
  clearTimeout(state.search);
  const frame = state.board?.querySelector(".st-key-canvas-frame");
  const host = frame && [...frame.querySelectorAll("*")].find(node => node.shadowRoot);
  const canvas = host?.shadowRoot.querySelector("canvas.upper-canvas");
  // the background is painted once the component is ready; what it draws before would be lost
  if (!canvas || !isPainted(canvas)) {
    if (frame) state.search = setTimeout(() => findCanvas(state), 30);
    return;
  }
  if (canvas === state.canvas) return;
  const root = host.shadowRoot;
  if (!root.adoptedStyleSheets.includes(toolbarStyle)) root.adoptedStyleSheets.push(toolbarStyle);
  state.canvas = canvas;
  state.strokes = keep()[state.mode] ?? [];
  for (const stroke of state.strokes) replay(canvas, stroke);
  changed(state);
}

/** Whether the background is there; read from a copy, since reading makes a canvas slow. */
function isPainted(canvas) {
  const lower = canvas.parentElement.querySelector("canvas.lower-canvas");
  pen.canvas.width = 1;
  const look = pen; // transparent parts of the lower canvas leave the copy's white as it is
  look.fillStyle = "#fff";
  look.fillRect(0, 0, 1, 1);
  if (lower) look.drawImage(lower, 0, 0);
  return look.getImageData(0, 0, 1, 1).data[0] === 0;
}

/** Draw a kept stroke again, by the mouse events that the component listens to. */
function replay(canvas, stroke) {
  const box = canvas.getBoundingClientRect();
  const send = (target, type, [x, y]) => target.dispatchEvent(new MouseEvent(type, {
    clientX: box.left + x * box.width / canvas.width,
    clientY: box.top + y * box.height / canvas.height,
    bubbles: true, composed: true, button: 0, buttons: 1, view: window,
  }));
  send(canvas, "mousedown", stroke[0]);
  for (const point of stroke) send(document, "mousemove", point);
  send(document, "mouseup", stroke.at(-1));
}

/** Press a button of the component's own toolbar, which is hidden: it acts at once. */
function pressTool(state, label) {
  const tools = state.canvas?.getRootNode().querySelector(".dc-toolbar");
  tools?.querySelector(`[aria-label^="${label}"]`)?.click();
}

function undo(state) {
  pressTool(state, "Undo");
  state.strokes.pop();
  changed(state);
  state.dirty = state.strokes.length > 0;
  readSoon(state);
}

function clear(state) {
  pressTool(state, "Reset");
  state.strokes = [];
  changed(state);
}

/** After every stroke, Undo and Clear: keep the strokes, show what that changes at once. */
function changed(state) {
  const empty = !state.strokes.length;
  keep({ [state.mode]: state.strokes });
  for (const name of ["undo", "clear", "next"]) part(state, name).disabled = empty;
  part(state, "ghost").hidden = !empty;
  part(state, "evidence").hidden = true;
  if (empty) show(state, { ...state.waiting });
}

function point(canvas, event) {
  const box = canvas.getBoundingClientRect();
  const place = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  return [place[0] * canvas.width, place[1] * canvas.height].map(value => Math.round(10 * value) / 10);
}

/** Follow the pen; capturing on the document, since the component stops some events. */
function followPen(state) {
  const listen = (type, listener) => document.addEventListener(
    type, listener, { capture: true, passive: true, signal: state.stop.signal });
  listen("pointerdown", event => {
    findCanvas(state);
    if (!event.isPrimary || event.button || event.composedPath()[0] !== state.canvas) return;
    Object.assign(state, { down: true, live: false });
    state.strokes.push([point(state.canvas, event)]);
    changed(state);
  });
  listen("pointermove", event => {
    if (!state.down || !event.isPrimary) return;
    state.strokes.at(-1).push(point(state.canvas, event));
    state.dirty = true;
    readSoon(state);
  });
  for (const type of ["pointerup", "pointercancel"]) listen(type, event => {
    if (!state.down || !event.isPrimary) return;
    state.down = false;
    changed(state);
  });
}
