// The canvas: its strokes, Undo and Clear in the browser, and what the browser keeps of them.
// canvas.js, answer.js and network.js are one module; Streamlit calls the function it exports.
const paper = document.createElement("canvas"); // a copy: reading the canvas itself makes it slow
const pen = paper.getContext("2d", { willReadFrequently: true });
const toolbarStyle = new CSSStyleSheet(); // the component's toolbar covers a part of the canvas
toolbarStyle.replaceSync(".dc-toolbar { display: none !important }");

// What is kept outlives a reload and a forgotten session, and goes with the browser's tab.
const kept = name => JSON.parse(sessionStorage.getItem(`digits-${name}`) ?? "[]");
const keep = (name, value) => sessionStorage.setItem(`digits-${name}`, JSON.stringify(value));

/** Copy the drawing: finished strokes lie on the lower canvas, the current one on the upper. */
function copyDrawing(canvas) {
  [paper.width, paper.height] = [canvas.width, canvas.height];
  for (const layer of canvas.parentElement.querySelectorAll("canvas")) pen.drawImage(layer, 0, 0);
}

/** The drawing as a PNG's data URL. toBlob would wait 17 ms for an idle moment; this takes 1 ms. */
function dataUrl(canvas) {
  copyDrawing(canvas);
  return paper.toDataURL();
}

/** Find the canvas, which lies in a shadow root and may come after this script. */
function findCanvas(state) {
  clearTimeout(state.search);
  const frame = state.board.querySelector(".st-key-canvas-frame");
  const root = frame && [...frame.querySelectorAll("*")].find(node => node.shadowRoot)?.shadowRoot;
  const canvas = root?.querySelector("canvas.upper-canvas");
  if (!frame || (canvas && canvas === state.canvas)) return;
  if (canvas) copyDrawing(canvas);
  if (!canvas || pen.getImageData(0, 0, 1, 1).data[3] === 0) { // not yet painted: not yet ready
    state.search = setTimeout(() => findCanvas(state), 30);
    return;
  }
  root.adoptedStyleSheets.push(toolbarStyle);
  state.canvas = canvas;
  state.strokes = kept(state.mode);
  for (const stroke of state.strokes) replay(canvas, stroke);
  changed(state);
}

/** Draw a kept stroke again, by the mouse events that the component listens to. */
function replay(canvas, stroke) {
  const box = canvas.getBoundingClientRect();
  const send = (target, type, [x, y]) => target.dispatchEvent(new MouseEvent(type, {
    clientX: box.left + x * box.width / canvas.width,
    clientY: box.top + y * box.height / canvas.height,
    bubbles: true, composed: true, buttons: 1, view: window,
  }));
  send(canvas, "mousedown", stroke[0]);
  for (const point of stroke) send(document, "mousemove", point);
  send(document, "mouseup", stroke.at(-1));
}

/** Press a button of the component's own toolbar: it acts at once and tells the page itself. */
function pressTool(state, label) {
  const root = state.canvas.getRootNode();
  root.querySelector(`.dc-toolbar [aria-label^="${label}"]`).click();
}

function undo(state) {
  pressTool(state, "Undo");
  state.strokes.pop();
  changed(state);
}

function clear(state) {
  pressTool(state, "Reset");
  state.strokes = [];
  changed(state);
}

/** After every stroke, Undo and Clear: keep the strokes, and show at once what that changes. */
function changed(state) {
  const empty = !state.strokes.length;
  keep(state.mode, state.strokes);
  for (const name of ["undo", "clear", "next"]) part(state, name).disabled = empty;
  part(state, "ghost").hidden = !empty || state.mode === "practice";
  part(state, "evidence").hidden = true;
  if (empty) show(state, state.waiting);
}

function canvasPoint(canvas, { clientX, clientY }) {
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  return [clientX - box.left, clientY - box.top].map(value => Math.round(10 * scale * value) / 10);
}

/** Follow the pen; on the document and capturing, since the component stops some events. */
function followPen(state) {
  const options = { capture: true, passive: true, signal: state.stop.signal };
  const listen = (type, listener) => document.addEventListener(type, listener, options);
  listen("pointerdown", event => { // the path names what lies in the shadow root, too
    if (!event.isPrimary || event.button || event.composedPath()[0] !== state.canvas) return;
    Object.assign(state, { down: true, live: false });
    state.strokes.push([canvasPoint(state.canvas, event)]);
    changed(state);
  });
  listen("pointermove", event => {
    if (!state.down || !event.isPrimary) return;
    state.strokes.at(-1).push(canvasPoint(state.canvas, event));
    state.dirty = true;
    readSoon(state);
  });
  for (const type of ["pointerup", "pointercancel"]) listen(type, event => {
    if (!state.down || !event.isPrimary) return;
    state.down = false;
    changed(state);
  });
}
