// The answer: live ones while the pen moves, final ones from the page's script, drawn alike.
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const EVERY = calm ? 500 : 100; // ms between the starts of two frames, at least
const PAUSE = 2000; // ms without frames after a failure; doubled up to LONGEST
const LONGEST = 30_000;
const STALE = 1500; // ms after which an answer to another number of strokes is shown all the same

const places = new WeakMap(); // component element -> state
const part = (state, name) => state.place.querySelector(`.${name}`);
const fill = (text, values) => text.replace(/{(\w+)}/g, (all, name) => values[name] ?? all);

/** Tell the page's script something; it is sent again with later events until it is handled. */
function tell(state, event) {
  const number = Math.max(state.handled, state.events.at(-1)?.number ?? 0) + 1;
  state.events.push({ number, ...event });
  state.setStateValue("events", state.events);
}

/** Read the drawing soon: EVERY ms after the last frame, one in flight, always the newest. */
function readSoon(state) {
  if (!state.dirty || state.busy || state.timer || !state.url) return;
  const due = Math.max(state.until, state.begun + EVERY) - performance.now();
  if (due < 4 * EVERY) state.timer = setTimeout(() => readFrame(state), due);
}

async function readFrame(state) {
  const { strokes } = state;
  Object.assign(state, { timer: 0, busy: true, dirty: false, begun: performance.now() });
  const png = atob(dataUrl(state.canvas).split(",")[1]);
  try {
    const reply = await fetch(state.url + (state.looking ? "&view=network" : ""), {
      method: "POST", headers: { "Content-Type": "image/png" }, signal: AbortSignal.timeout(1500),
      body: Uint8Array.from(png, sign => sign.charCodeAt(0)),
    });
    if (reply.status === 200) showFrame(state, await reply.json(), strokes);
    else if (reply.headers.has("Retry-After")) state.until = performance.now() + 3 * EVERY;
    else if (reply.status !== 204) throw new Error(reply.status); // 204: nothing to be read yet
  } catch { // the final answer says what is wrong; until it is mended there are no live ones
    state.wait = Math.min(state.wait * 2 || PAUSE, LONGEST);
    state.until = performance.now() + state.wait;
  } finally {
    state.busy = false;
    readSoon(state);
  }
}

function showFrame(state, answer, strokes) {
  state.wait = 0;
  if (strokes !== state.strokes || !strokes.length) return; // cleared meanwhile
  if (state.looking && answer.layers) showNetwork(state, answer);
  if (!state.down && !state.live) return; // the final answer is there already
  const { texts } = state;
  const sure = { percent: percent(state, answer.confidence) };
  if (answer.is_digit) {
    const [sign, head] = [String(answer.prediction), texts.is[answer.prediction]];
    show(state, { ...answer, kind: "digit", sign, head, more: fill(texts.sure, sure), live: true });
  } else if (answer.is_number) {
    const [sign, head] = [answer.number, fill(texts.is_number, answer)];
    const more = fill(texts.sure_number, sure);
    show(state, { ...state.waiting, kind: "number", sign, head, more, live: true });
  } else return; // what is no digit, the end says
  state.live = true;
}

/** A share as a person writes it; rounding never claims certainty. */
function percent({ texts, numbers }, share) {
  const shown = `${numbers.format(Math.min(100 * share, 99.9))}\u00a0%`;
  return share > 0.9995 ? fill(texts.more_than, { percent: shown }) : shown;
}

/** Show an answer. A final one also speaks to screen readers, which hear nothing in between. */
function show(state, view) {
  state.view = view;
  part(state, "verdict").className = `verdict ${view.kind}`;
  for (const name of ["sign", "head", "more"]) part(state, name).textContent = view[name];
  showValues(state, view);
  showWay(state, view);
  if (view.live) return;
  const silent = view.kind === "waiting" && state.mode !== "practice";
  part(state, "final").textContent = silent ? "" : `${view.head}. ${view.more}`;
  showDigits(state, view.digits);
}

function showValues(state, { probabilities, kind, live }) {
  part(state, "values").className = `values ${kind}`;
  const best = kind === "digit" ? probabilities.indexOf(Math.max(...probabilities)) : -1;
  [...part(state, "bars").querySelectorAll("button")].forEach((button, digit) => {
    const share = probabilities[digit];
    button.style.setProperty("--share", share);
    button.classList.toggle("best", digit === best);
    button.disabled = kind === "waiting";
    const shown = share > 0.99 ? "> 99" : Math.round(100 * share);
    button.querySelector(".share").textContent = share ? shown : "";
    if (live) return;
    const value = share ? `, ${percent(state, share)}` : "";
    button.setAttribute("aria-label", state.texts.label[digit] + value);
  });
  const { correct, correct_number: correctNumber } = state.texts;
  const hints = { waiting: "", number: correctNumber };
  part(state, "hint").textContent = hints[kind] ?? correct;
}

/** The digits of a number; the one that is chosen is the one that a value corrects. */
function showDigits(state, digits) {
  state.chosen = null;
  const place = part(state, "digits");
  place.replaceChildren(...digits.map(({ image, words }, index) => {
    const button = document.createElement("button");
    button.append(Object.assign(new Image(), { className: "pixels", src: image, alt: "" }), words);
    button.addEventListener("click", () => {
      state.chosen = index;
      for (const one of place.children) one.setAttribute("aria-pressed", one === button);
    });
    return button;
  }));
}

/** The box around what is not black: x, y, width, height. */
function inkBox(context, width, height) {
  const { data } = context.getImageData(0, 0, width, height);
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let i = 0; i < width * height; i++) {
    if (data[4 * i] < 48) continue;
    [left, right] = [Math.min(left, i % width), Math.max(right, i % width + 1)];
    [top, bottom] = [Math.min(top, Math.floor(i / width)), Math.floor(i / width) + 1];
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** The way from the drawing by the centred square to 28 x 28, and the evidence over the drawing. */
async function showWay(state, view) {
  part(state, "way").hidden = !view.image;
  part(state, "why").hidden = part(state, "look").hidden = !view.image || !state.url;
  if (!view.image) return;
  const [small, drawn, centred] = ["small", "drawn", "centred"].map(name => part(state, name));
  small.src = view.image;
  drawn.parentElement.hidden = centred.parentElement.hidden = !state.url;
  await small.decode().catch(() => {}); // another picture may come before this one is decoded
  if (!state.url || view !== state.view) return;
  copyDrawing(state.canvas);
  drawn.getContext("2d").drawImage(paper, 0, 0, drawn.width, drawn.height);
  const look = centred.getContext("2d", { willReadFrequently: true });
  look.drawImage(small, 0, 0, 28, 28);
  // The square of the drawing that the small picture shows: both have the same box of ink.
  const [from, to] = [inkBox(pen, paper.width, paper.height), inkBox(look, 28, 28)];
  const scale = Math.max(from.width, from.height) / Math.max(to.width, to.height);
  const x = from.x + from.width / 2 - scale * (to.x + to.width / 2);
  const y = from.y + from.height / 2 - scale * (to.y + to.height / 2);
  look.fillRect(0, 0, centred.width, centred.height);
  look.drawImage(paper, x, y, 28 * scale, 28 * scale, 0, 0, centred.width, centred.height);
  const evidence = part(state, "evidence");
  evidence.hidden = !view.evidence;
  if (!view.evidence) return;
  evidence.src = view.evidence;
  const share = (length, whole) => `${100 * length / whole}%`;
  Object.assign(evidence.style, {
    left: share(x, paper.width), top: share(y, paper.height), width: share(28 * scale, paper.width),
  });
}

/** Hand the example over and ask for the next digit at once. */
function next(state) {
  const [digit] = state.todo;
  tell(state, { kind: "next", digit, image: dataUrl(state.canvas), strokes: state.strokes });
  state.todo.shift();
  askForDigit(state);
  clear(state);
}

function askForDigit(state) {
  if (state.mode !== "practice") return;
  const { complete, draw } = state.texts;
  state.waiting = { ...state.waiting, head: draw[state.todo[0]] ?? complete };
}

function start(place) {
  const state = {
    place, board: place.closest(".st-key-board"), stop: new AbortController(), canvas: null,
    strokes: [], events: [], handled: 0, down: false, dirty: false, busy: false, live: false,
    looking: false, begun: 0, wait: 0, until: 0, timer: 0,
  };
  const onClick = (element, listener) => element.addEventListener("click", listener);
  for (let digit = 0; digit < 10; digit++) {
    const item = part(state, "bars").appendChild(document.createElement("li"));
    item.innerHTML = `<button type="button"><span class="share"></span><b>${digit}</b></button>`;
    onClick(item.firstChild, () => tell(state, {
      kind: "label", digit, part: state.chosen, strokes: state.strokes,
    }));
  }
  const actions = { undo, clear, next, look };
  for (const [name, act] of Object.entries(actions)) onClick(part(state, name), () => act(state));
  onClick(part(state, "why"), () => tell(state, { kind: "why" }));
  onClick(part(state, "whole"), () => tell(state, { kind: "number" }));
  for (const type of ["pointerover", "focusin", "click"]) {
    part(state, "network").addEventListener(type, event => pointAt(state, event.target));
  }
  followPen(state);
  return state;
}

/** Called by Streamlit at every run of the script's fragment. */
export default function ({ data, parentElement: place, setStateValue }) {
  if (!places.has(place)) places.set(place, start(place));
  const state = places.get(place);
  const { view, examples, todo, texts, ...given } = data;
  Object.assign(state, given, { texts, setStateValue });
  state.numbers = new Intl.NumberFormat(data.language, { maximumFractionDigits: 1 });
  state.events = state.events.filter(event => event.number > data.handled);
  for (const [name, text] of Object.entries(texts.buttons)) part(state, name).textContent = text;
  Object.assign(part(state, "whole"), { textContent: view.whole, hidden: !view.whole });
  part(state, "bars").setAttribute("aria-label", texts.bars);
  part(state, "small").alt = texts.small;
  part(state, "why").setAttribute("aria-pressed", Boolean(view.evidence));
  part(state, "legend").textContent = view.legend;
  part(state, "next").hidden = data.mode !== "practice";
  part(state, "values").hidden = data.mode === "practice";
  part(state, "tools").hidden = part(state, "over").hidden = data.mode === "picture";
  part(state, "way").querySelectorAll("figcaption").forEach((caption, step) => {
    caption.textContent = texts.way[step];
  });
  if (examples) keep("examples", examples);
  else if (data.fresh && !state.events.length && kept("examples").length) { // a forgotten session
    tell(state, { kind: "restore", examples: kept("examples") });
  }
  state.todo = todo.slice(state.events.filter(event => event.kind === "next").length);
  askForDigit(state);
  findCanvas(state);
  clearTimeout(state.stale);
  const present = () => {
    state.live = false;
    show(state, state.mode === "practice" ? state.waiting : view);
    readNetwork(state);
  };
  if (data.mode !== "read" || data.count === state.strokes.length) {
    if (!state.down || !state.live) present(); // live answers are newer than this one
  } else state.stale = setTimeout(() => { if (!state.down) present(); }, STALE);
  return () => { state.stop.abort(); clearTimeout(state.search); places.delete(place); };
}
