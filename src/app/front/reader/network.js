// What the network sees and computes: the way to 28 x 28, and each layer's strongest maps.
const MAP = "<button type='button'><img alt=''><img alt='' class='kernel'></button>";
const POINTED = "<img alt=''><span><img alt=''><img alt=''></span><p></p>";

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
  const [small, drawn, centred] = ["small", "drawn", "centred"].map(name => part(state, name));
  part(state, "way").hidden = !view.image;
  drawn.parentElement.hidden = centred.parentElement.hidden = !state.url; // of an upload
  if (!view.image) return;
  small.src = view.image;
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
  const [wide, high] = [paper.width / 100, paper.height / 100];
  evidence.style = `left:${x / wide}%;top:${y / high}%;width:${28 * scale / wide}%`;
  setSource(evidence, view.evidence);
}

function look(state) {
  state.looking = !state.looking;
  part(state, "look").ariaExpanded = state.looking;
  readNetwork(state);
}

function readNetwork(state) {
  part(state, "network").hidden = !state.looking || !state.url; // of an upload there is none
  state.dirty ||= state.looking && state.strokes.length > 0;
  readSoon(state);
}

function showNetwork(state, { layers, image: small }) {
  const network = part(state, "network");
  state.maps = layers.flatMap(({ kind, maps, receptive_field: side }, at) => maps.map(map => (
    { ...map, kind, side, small, number: at + 1, channel: map.channel + 1 })));
  if (network.querySelectorAll("button").length !== state.maps.length) {
    state.pointed = 0;
    const rows = layers.map(({ kind, channels: count, maps }, at) => `
      <p>${fill(state.texts[`network.${kind}`], { number: at + 1, count })}</p>
      <div class="maps">${MAP.repeat(maps.length)}</div>`);
    network.innerHTML = `<div class="pointed">${POINTED}</div>${rows.join("")}`;
  }
  network.querySelectorAll("button").forEach((button, at) => {
    const map = state.maps[at];
    setSource(button.children[0], map.picture ?? map.kernel);
    setSource(button.children[1], map.picture && map.kernel);
    button.style.setProperty("--share", map.strength);
    button.ariaLabel = fill(state.texts["network.map"], map);
  });
  showMap(state);
}

const setSource = (image, source) => Object.assign(image, { hidden: !source, src: source ?? "" });

function pointAt(state, target) {
  const button = target.closest("button");
  if (!button) return;
  state.pointed = [...part(state, "network").querySelectorAll("button")].indexOf(button);
  showMap(state);
}

function showMap(state) {
  const map = state.maps[state.pointed];
  const pointed = part(state, "pointed");
  const sources = [map.kernel, map.small, map.picture];
  pointed.querySelectorAll("img").forEach((image, at) => setSource(image, sources[at]));
  pointed.querySelector("p").textContent = fill(state.texts[`network.${map.kind}_seen`], map);
}
