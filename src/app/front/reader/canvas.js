// The canvas: its strokes, Undo and Clear in the browser, and what the browser keeps of them.
const paper = document.createElement("canvas"); // a copy: reading the canvas itself makes it slow
const pen = paper.getContext("2d", { willReadFrequently: true });
const toolbarStyle = new CSSStyleSheet(); // the component's toolbar covers a part of the canvas
toolbarStyle.replaceSync(".dc-toolbar { display: none !important } .dc-scroll { overflow: hidden }");

// What is kept outlives a reload and a forgotten session, and goes with the browser's tab.
const kept = name => JSON.parse(sessionStorage.getItem(`digits-${name}`) ?? "[]");
const keep = (name, value) => sessionStorage.setItem(`digits-${name}`, JSON.stringify(value));

/** Copy the drawing: finished strokes lie on the lower canvas, the current one on the upper. */
function copyDrawing(canvas) {
  [paper.width, paper.height] = [canvas.width, canvas.height];
  for (const layer of canvas.parentElement.querySelectorAll("canvas")) pen.drawImage(layer, 0, 0);
  return paper;
}

/** Find the canvas, which lies in a shadow root and may come after this script. */
function findCanvas(state) {
  clearTimeout(state.search);
  const frame = state.board.querySelector(".st-key-canvas-frame");
  const root = frame && [...frame.querySelectorAll("*")].find(node => node.shadowRoot)?.shadowRoot;
  const canvas = root?.querySelector("canvas.upper-canvas");
  if (!frame || (canvas && canvas === state.canvas)) return;
  const painted = canvas && copyDrawing(canvas) && pen.getImageData(0, 0, 1, 1).data[3];
  if (!painted) { // the component is not ready: what is drawn now would be lost
    state.search = setTimeout(() => findCanvas(state), 30);
    return;
  }
  root.adoptedStyleSheets.push(toolbarStyle);
  state.canvas = canvas;
  const strokes = kept(state.mode);
  for (const stroke of strokes) replay(canvas, stroke);
  changed(state, strokes);
}

/** Draw a kept stroke again, by the mouse events that the component listens to. */
function replay(canvas, stroke) {
  const { left, top, width } = canvas.getBoundingClientRect();
  const scale = width / canvas.width;
  const send = (target, type, [x, y]) => target.dispatchEvent(new MouseEvent(type, {
    clientX: left + scale * x, clientY: top + scale * y, bubbles: true, buttons: 1,
  }));
  send(canvas, "mousedown", stroke[0]);
  for (const point of stroke) send(document, "mousemove", point);
  send(document, "mouseup", stroke.at(-1));
}

/** Press a button of the component's own toolbar: it acts at once and tells the page itself. */
function pressTool(state, label) {
  state.canvas.getRootNode().querySelector(`.dc-toolbar [aria-label^="${label}"]`).click();
}

function undo(state) {
  pressTool(state, "Undo");
  changed(state, state.strokes.slice(0, -1));
}

function clear(state) {
  pressTool(state, "Reset");
  changed(state, []);
}

/** After every stroke, Undo and Clear: keep the strokes, and show at once what that changes. */
function changed(state, strokes) {
  const empty = !strokes.length;
  Object.assign(state, { strokes, live: false });
  keep(state.mode, strokes);
  for (const name of ["undo", "clear", "next"]) part(state, name).disabled = empty;
  part(state, "ghost").hidden = !empty || state.mode === "practice";
  part(state, "evidence").hidden = true;
  if (empty) show(state, state.waiting);
}

/** Follow the pen; on the document and capturing, since the component stops some events. */
function followPen(state) {
  const options = { capture: true, passive: true, signal: state.stop.signal };
  const listen = (type, listener) => document.addEventListener(type, event => {
    if (event.isPrimary) listener(event);
  }, options);
  const add = ({ clientX, clientY }) => {
    const { left, top, width } = state.canvas.getBoundingClientRect();
    const scale = state.canvas.width / width;
    const round = value => Math.round(10 * scale * value) / 10;
    state.strokes.at(-1).push([round(clientX - left), round(clientY - top)]);
  };
  const lift = () => {
    if (state.down) keep(state.mode, state.strokes);
    state.down = false;
  };
  listen("pointerdown", event => { // the path names what lies in the shadow root, too
    if (event.button || event.composedPath()[0] !== state.canvas) return;
    state.down = true;
    changed(state, [...state.strokes, []]);
    add(event);
  });
  listen("pointermove", event => {
    if (!state.down) return;
    add(event);
    state.dirty = true;
    readSoon(state);
  });
  listen("pointerup", lift);
  listen("pointercancel", lift);
}
