// The network at work: the strongest maps of each layer with their kernels, and the ten outputs.
const MAP = "<button type='button'><img alt=''><img alt='' class='kernel'></button>";
const POINTED = "<img alt=''><span><img alt=''><img alt=''></span><p></p>";

/** Open or close the view. */
function look(state) {
  state.looking = !state.looking;
  part(state, "look").setAttribute("aria-expanded", state.looking);
  part(state, "network").hidden = !state.looking;
  readNetwork(state);
}

/** Read the finished drawing once more, for what the network computes. */
function readNetwork(state) {
  state.dirty ||= state.looking && state.strokes.length > 0;
  readSoon(state);
}

function showNetwork(state, { layers, image, probabilities }) {
  const { texts } = state;
  const network = part(state, "network");
  state.maps = layers.flatMap((layer, at) => layer.maps.map(map => (
    { ...map, ...layer, number: at + 1, filter: map.channel + 1, small: image })));
  if (network.querySelectorAll("button").length !== state.maps.length) {
    state.pointed = 0;
    const rows = layers.map(({ kind, channels: count, maps }, at) => `
      <h3>${fill(texts[kind], { number: at + 1, count })}</h3>
      <div class="maps">${MAP.repeat(maps.length)}</div>`);
    const outputs = probabilities.map((_, digit) => `<li>${digit}</li>`);
    network.innerHTML = `<div class="pointed">${POINTED}</div>${rows.join("")}
      <ol class="outputs">${outputs.join("")}</ol>`;
  }
  network.querySelectorAll("button").forEach((button, at) => {
    const map = state.maps[at];
    setSource(button.children[0], map.picture ?? map.kernel);
    setSource(button.children[1], map.picture && map.kernel);
    button.style.setProperty("--share", map.strength);
    button.setAttribute("aria-label", fill(texts.map, map));
  });
  network.querySelectorAll(".outputs li").forEach((output, digit) => {
    output.style.setProperty("--share", probabilities[digit]);
  });
  showMap(state);
}

function setSource(image, source) {
  image.hidden = !source;
  if (source) image.src = source;
}

/** Show what the map sees that the visitor points at. */
function pointAt(state, target) {
  const button = target.closest("button");
  if (!button) return;
  state.pointed = [...part(state, "network").querySelectorAll("button")].indexOf(button);
  showMap(state);
}

/** The kernel of the map, where on the small picture it found that, and both in words. */
function showMap(state) {
  const map = state.maps[state.pointed];
  const [kernel, small, picture] = part(state, "pointed").querySelectorAll("img");
  setSource(kernel, map.kernel);
  setSource(small, map.small);
  setSource(picture, map.picture);
  part(state, "pointed").querySelector("p").textContent =
    fill(state.texts[`${map.kind}_seen`], { ...map, side: map.receptive_field });
}
