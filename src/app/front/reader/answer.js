// The answer: live ones while the pen moves, final ones from the page's script, drawn alike.
const EVERY = matchMedia("(prefers-reduced-motion)").matches ? 500 : 100; // ms between two frames
const [PAUSE, LONGEST] = [2000, 30_000]; // ms without frames after a failure; doubled each time
const STALE = 1500; // ms after which an answer to another number of strokes is shown all the same
const places = new WeakMap(); // the component's element -> its state
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
  const png = atob(copyDrawing(state.canvas).toDataURL().split(",")[1]); // toBlob takes 17 ms
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
  if (strokes !== state.strokes) return; // of a stroke before, or cleared meanwhile
  if (state.looking && answer.layers) showNetwork(state, answer);
  if (!state.down && !state.live) return; // the final answer is there already
  if (!answer.is_digit && !answer.is_number) return; // the end says that it is not a digit
  const sure = Math.min(100 * answer.confidence, 99.9); // rounding never claims certainty
  const percent = `${sure.toLocaleString(state.language, { maximumFractionDigits: 1 })}\u00a0%`;
  const words = answer.is_digit
    ? { kind: "digit", sign: answer.prediction, head: state.is[answer.prediction] }
    : { kind: "number", sign: answer.number, head: fill(state.texts["number.is"], answer) };
  state.live = true; // from now on until the final answer
  show(state, { ...state.waiting, ...answer, ...words, more: fill(state.texts["digit.sure"], { percent }) });
}

/** Show an answer. A final one also speaks to screen readers, which hear nothing in between. */
function show(state, { ...view }) {
  const practice = state.mode === "practice";
  if (practice) view.head = state.draw[state.todo[0]] ?? state.texts["practice.last"];
  state.view = view;
  part(state, "verdict").className = `verdict ${view.kind}`;
  for (const name of ["sign", "head", "more"]) part(state, name).textContent = view[name];
  showValues(state, view);
  showWay(state, view);
  if (state.live) return;
  const silent = view.kind === "waiting" && !practice;
  part(state, "final").textContent = silent ? "" : `${view.head}. ${view.more}`;
  showDigits(state, view.digits);
}

function showValues(state, { probabilities, labels, kind, image }) {
  part(state, "values").className = `values ${kind}`;
  const best = kind === "digit" ? probabilities.indexOf(Math.max(...probabilities)) : -1;
  state.bars.forEach((button, digit) => {
    const share = probabilities[digit];
    const shown = share > 0.99 ? "> 99" : Math.round(100 * share);
    button.style.setProperty("--share", share);
    button.querySelector(".share").textContent = image ? shown : "";
    button.classList.toggle("best", digit === best);
    button.disabled = kind === "waiting" || state.live; // until the page has the drawing
    if (!state.live) button.ariaLabel = labels[digit];
  });
}

/** The digits of a number; the one that is chosen is the one that a value corrects. */
function showDigits(state, digits) {
  state.chosen = null;
  part(state, "digits").innerHTML = digits.map(({ image, words }) => `
    <button type="button"><img class="pixels" src="${image}" alt="">${words}</button>`).join("");
}

function chooseDigit(state, target) {
  [...part(state, "digits").children].forEach((button, index) => {
    button.ariaPressed = button.contains(target);
    if (button.contains(target)) state.chosen = index;
  });
}

function next(state) {
  const digit = state.todo.shift();
  const image = copyDrawing(state.canvas).toDataURL();
  tell(state, { kind: "next", digit, image, strokes: state.strokes });
  clear(state);
}

function start(place) {
  const state = {
    place, board: place.closest(".st-key-board"), stop: new AbortController(), strokes: [],
    events: [], down: false, dirty: false, looking: false, begun: 0, wait: 0, until: 0,
  };
  const on = (type, name, listener) => part(state, name).addEventListener(type, listener);
  state.bars = [...part(state, "bars").querySelectorAll("button")];
  state.bars.forEach((button, digit) => button.addEventListener("click", () => tell(state, {
    kind: "label", digit, part: state.chosen, strokes: state.strokes,
  })));
  const actions = { undo, clear, next, look };
  for (const [name, act] of Object.entries(actions)) on("click", name, () => act(state));
  on("click", "why", () => tell(state, { kind: "why" }));
  on("click", "whole", () => tell(state, { kind: "number" }));
  on("click", "digits", event => chooseDigit(state, event.target));
  for (const type of ["pointerover", "focusin", "click"]) {
    on(type, "network", event => pointAt(state, event.target));
  }
  followPen(state);
  places.set(place, state);
  return state;
}

/** Put the texts of the language in their places, and show what belongs to the kind of answer. */
function showParts(state, { image, kind, evidence, legend, whole }) {
  const { place, texts, mode } = state;
  for (const node of place.querySelectorAll("[data-text]")) {
    node.textContent = texts[node.dataset.text];
  }
  const hints = { waiting: "", number: texts["answer.correct_number"] };
  const set = (name, properties) => Object.assign(part(state, name), properties);
  set("hint", { textContent: hints[kind] ?? texts["answer.correct"] });
  set("bars", { ariaLabel: texts["answer.bars"] });
  set("small", { alt: texts["answer.small"] });
  set("legend", { textContent: legend });
  set("whole", { textContent: whole, hidden: !whole });
  set("why", { hidden: mode !== "read" || !image, ariaPressed: Boolean(evidence) });
  set("look", { hidden: mode !== "read" || !image });
  set("next", { hidden: mode !== "practice" });
  set("values", { hidden: mode === "practice" });
  for (const name of ["tools", "over"]) set(name, { hidden: mode === "picture" });
}

export default function ({ data, parentElement: place, setStateValue }) { // at each rerun
  const state = places.get(place) ?? start(place);
  const { view, examples, todo, ...given } = data;
  Object.assign(state, given, { setStateValue });
  state.events = state.events.filter(event => event.number > data.handled);
  showParts(state, view);
  if (examples) keep("examples", examples);
  else if (data.fresh && !state.events.length && kept("examples").length) { // a forgotten session
    tell(state, { kind: "restore", examples: kept("examples") });
  }
  state.todo = todo.slice(state.events.filter(event => event.kind === "next").length);
  findCanvas(state);
  const current = data.mode !== "read" || data.count === state.strokes.length;
  clearTimeout(state.final);
  state.final = setTimeout(() => {
    if (state.down) return; // there is a newer drawing, and soon its own answer
    if (!current && data.count === 0) pressTool(state, "Update"); // of a lost session
    state.live = false;
    show(state, view);
    readNetwork(state);
  }, current ? 0 : STALE);
  return () => { state.stop.abort(); clearTimeout(state.search); places.delete(place); };
}
