// The answer: live ones while the pen moves, final ones from the page's script, drawn alike.
const EVERY = 100; // ms between the starts of two frames, at least
const PAUSE = 2000; // ms without frames after a failure; doubled up to LONGEST
const LONGEST = 30_000;
const STALE = 1500; // ms after which an answer to another number of strokes is shown all the same

const part = (state, name) => state.place.querySelector(`.${name}`);

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
  const { canvas, strokes } = state;
  const frame = Uint8Array.from(atob(png(canvas)), sign => sign.charCodeAt(0));
  Object.assign(state, { timer: 0, busy: true, dirty: false, begun: performance.now() });
  try {
    const reply = await fetch(state.url + (state.looking ? "&view=network" : ""), {
      method: "POST", body: frame, headers: { "Content-Type": "image/png" },
      signal: AbortSignal.timeout(1500),
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
  if (answer.layers && state.looking) showNetwork(state, answer);
  if (!answer.is_digit || !(state.down || state.live)) return; // what is no digit, the end says
  state.live = true;
  const digit = answer.prediction;
  const more = state.texts.sure.replace("{percent}", spoken(state, answer.confidence));
  show(state, {
    ...answer, kind: "accepted", sign: String(digit), head: state.texts.is[digit], more, live: true,
  });
}

/** A share as a person writes it; rounding never claims certainty. */
function spoken({ texts, percent }, share) {
  return share > 0.9995 ? texts.more_than.replace("{percent}", percent.format(0.999)) : percent.format(share);
}

/** Show an answer; `final` speaks to screen readers and stays as it is while the pen moves. */
function show(state, view) {
  state.view = view;
  const verdict = part(state, "verdict");
  verdict.className = `verdict ${view.kind}`;
  for (const name of ["sign", "head", "more"]) part(state, name).textContent = view[name];
  showValues(state, view);
  if (!view.live) {
    part(state, "final").textContent = `${view.head}. ${view.more}`;
    showDigits(state, view.digits);
  }
  showWay(state, view);
}

function showValues(state, { probabilities, kind, live, digits }) {
  const best = kind === "rejected" ? -1 : probabilities.indexOf(Math.max(...probabilities));
  probabilities.forEach((share, digit) => {
    const button = part(state, "bars").children[digit].firstElementChild;
    const percent = Math.round(100 * share);
    button.style.setProperty("--share", share);
    button.classList.toggle("best", digit === best && share > 0);
    button.querySelector(".share").textContent = !share ? "" : share > 0.99 ? "> 99" : percent;
    button.disabled = kind === "waiting" && !live;
    if (!live) button.setAttribute("aria-label", state.texts.label[digit] + (
      share ? ` (${spoken(state, share)})` : ""));
  });
  const { correct, correct_number: correctNumber } = state.texts;
  part(state, "hint").textContent = kind === "waiting" ? "" : digits?.length ? correctNumber : correct;
}

/** The digits of a number; the one that is chosen is the one that a value corrects. */
function showDigits(state, digits = []) {
  state.chosen = null;
  part(state, "digits").replaceChildren(...digits.map((digit, index) => {
    const button = document.createElement("button");
    const image = Object.assign(new Image(), { className: "pixels", src: digit.image, alt: "" });
    button.append(image, digit.words);
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      state.chosen = index;
      for (const other of button.parentElement.children) {
        other.setAttribute("aria-pressed", String(other === button));
      }
    });
    return button;
  }));
}

/** The square of the drawing that the 28 x 28 picture shows: both have the same box of ink. */
function square(drawing, small) {
  const scale = Math.max(drawing.width, drawing.height) / Math.max(small.width, small.height);
  return {
    x: drawing.x + drawing.width / 2 - scale * (small.x + small.width / 2),
    y: drawing.y + drawing.height / 2 - scale * (small.y + small.height / 2),
    side: 28 * scale,
  };
}

/** The box around what is not black. */
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
  const way = part(state, "way");
  way.hidden = !view.image;
  part(state, "evidence-tools").hidden = !view.image && !view.whole;
  if (!view.image) return;
  const small = part(state, "small");
  small.src = view.image;
  small.alt = state.texts.small;
  await small.decode().catch(() => {});
  const drawn = part(state, "drawn"), centred = part(state, "centred");
  drawn.parentElement.hidden = centred.parentElement.hidden = !state.canvas?.isConnected;
  if (drawn.parentElement.hidden || view !== state.view) return;
  copyDrawing(state.canvas);
  drawn.getContext("2d").drawImage(paper, 0, 0, drawn.width, drawn.height);
  const box = inkBox(pen, paper.width, paper.height);
  const look = centred.getContext("2d", { willReadFrequently: true });
  look.drawImage(small, 0, 0, 28, 28);
  const { x, y, side } = square(box, inkBox(look, 28, 28));
  look.fillRect(0, 0, centred.width, centred.height);
  look.drawImage(paper, x, y, side, side, 0, 0, centred.width, centred.height);
  const evidence = part(state, "evidence");
  evidence.hidden = !view.evidence;
  if (!view.evidence) return;
  evidence.src = view.evidence;
  const [wide, high] = [paper.width / 100, paper.height / 100];
  evidence.style.cssText = `left:${x / wide}%;top:${y / high}%;width:${side / wide}%`;
}

function press(state, name, action) {
  part(state, name).addEventListener("click", action);
}

function start(place) {
  const state = {
    place, board: place.closest(".st-key-board"), stop: new AbortController(), canvas: null,
    strokes: [], events: [], handled: 0, down: false, dirty: false, busy: false, live: false,
    looking: false, begun: 0, wait: 0, until: 0, timer: 0, taught: 0, restored: "",
  };
  part(state, "bars").append(...Array.from({ length: 10 }, (_, digit) => {
    const item = document.createElement("li");
    item.innerHTML = `<button type="button"><span class="share"></span><i></i><b>${digit}</b></button>`;
    item.firstChild.addEventListener("click", () => tell(state, {
      kind: "label", digit, part: state.chosen, strokes: state.strokes,
    }));
    return item;
  }));
  press(state, "undo", () => undo(state));
  press(state, "clear", () => clear(state));
  press(state, "next", () => next(state));
  press(state, "why", () => tell(state, { kind: "why" }));
  press(state, "whole", () => tell(state, { kind: "number" }));
  press(state, "look", () => look(state));
  followPen(state);
  return state;
}

/** Hand the example over and ask for the next digit at once. */
function next(state) {
  const image = `data:image/png;base64,${png(state.canvas)}`;
  tell(state, { kind: "next", digit: state.todo[0], image, strokes: state.strokes });
  state.todo.shift();
  clear(state);
  ask(state);
}

function ask(state) {
  if (state.mode !== "practice") return;
  const [digit] = state.todo;
  state.waiting.head = digit === undefined ? state.texts.complete : state.texts.draw[digit];
  show(state, { ...state.waiting });
}

/** Called by Streamlit at every run of the script's fragment. */
export default function ({ data, parentElement: place, setStateValue }) {
  let state = places.get(place);
  if (!state) places.set(place, state = start(place));
  const { view, kept, todo = [], ...given } = data;
  Object.assign(state, given, { setStateValue });
  state.percent = new Intl.NumberFormat(data.language, { style: "percent", maximumFractionDigits: 1 });
  state.events = state.events.filter(event => event.number > data.handled);
  for (const [name, text] of Object.entries(data.texts.buttons)) part(state, name).textContent = text;
  part(state, "bars").setAttribute("aria-label", data.texts.bars);
  part(state, "whole").textContent = view.whole;
  part(state, "why").setAttribute("aria-pressed", String(Boolean(view.evidence)));
  part(state, "legend").textContent = view.legend ?? "";
  part(state, "whole").hidden = !view.whole;
  part(state, "next").hidden = data.mode !== "practice";
  part(state, "values").hidden = data.mode === "practice";
  part(state, "tools").hidden = data.mode === "picture";
  [...part(state, "way").querySelectorAll("figcaption")].forEach((caption, index) => {
    caption.textContent = data.texts.way[index];
  });
  if (kept) keep({ examples: kept });
  const stored = keep().examples ?? [];
  if (data.fresh && stored.length && state.restored !== data.key) {
    state.restored = data.key;
    tell(state, { kind: "restore", examples: stored });
  }
  state.todo = todo.slice(state.events.filter(event => event.kind === "next").length);
  findCanvas(state);
  clearTimeout(state.stale);
  const present = () => { state.live = false; show(state, view); ask(state); lookAgain(state); };
  if (data.mode !== "read" || data.count === state.strokes.length) {
    if (!(state.down && state.live)) present();
  } else state.stale = setTimeout(() => { if (!state.down) present(); }, STALE);
  return () => { state.stop.abort(); clearTimeout(state.search); places.delete(place); };
}
