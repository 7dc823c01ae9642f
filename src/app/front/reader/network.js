// The network at work: the strongest maps of each layer with their kernels, and the ten outputs.

/** Open or close the view; the drawing is read once more, now with what the network computes. */
function look(state) {
  state.looking = !state.looking;
  part(state, "look").setAttribute("aria-expanded", String(state.looking));
  part(state, "network").hidden = !state.looking;
  lookAgain(state);
}

function lookAgain(state) {
  if (!state.looking || !state.strokes.length || !state.canvas?.isConnected) return;
  state.dirty = true;
  readSoon(state);
}

function showNetwork(state, { layers, image, probabilities }) {
  const network = part(state, "network");
  if (network.childElementCount !== layers.length + 2) {
    network.replaceChildren(document.createElement("p"), ...layers.map(() => row(state)),
      document.createElement("ol"));
    network.firstChild.className = "seen-by-map";
    network.lastChild.className = "outputs";
    network.lastChild.append(...probabilities.map((_, digit) => {
      const cell = document.createElement("li");
      cell.textContent = digit;
      return cell;
    }));
  }
  layers.forEach((layer, index) => showLayer(state, network.children[index + 1], layer, index));
  [...network.lastChild.children].forEach((cell, digit) => {
    cell.style.setProperty("--share", probabilities[digit]);
  });
  const [name, channel] = state.pointed ?? [];
  const layer = layers.find(one => one.name === name) ?? layers[0];
  const map = layer.maps.find(one => one.channel === channel) ?? layer.maps[0];
  if (map) showMap(state, network.firstChild, layer, layers.indexOf(layer), map, image);
}

function row(state) {
  const section = document.createElement("section");
  section.append(document.createElement("h3"), document.createElement("div"));
  const point = event => {
    const button = event.target.closest("button");
    if (!button) return;
    state.pointed = [button.dataset.layer, Number(button.dataset.channel)];
    button.show();
  };
  for (const type of ["pointerover", "focusin", "click"]) section.addEventListener(type, point);
  return section;
}

function showLayer(state, section, layer, index) {
  const { texts } = state;
  section.firstChild.textContent = texts[layer.kind]
    .replace("{number}", index + 1).replace("{count}", layer.channels);
  const place = section.lastChild;
  while (place.childElementCount < layer.maps.length) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(new Image(), new Image());
    place.append(button);
  }
  layer.maps.forEach((map, at) => {
    const button = place.children[at];
    const [picture, kernel] = button.children;
    Object.assign(button.dataset, { layer: layer.name, channel: map.channel });
    button.style.setProperty("--share", map.strength);
    button.setAttribute("aria-label", texts.map.replace("{channel}", map.channel + 1));
    setPicture(picture, map.picture);
    setPicture(kernel, map.kernel);
    kernel.className = map.picture ? "kernel" : "";
    button.show = () => showMap(state, part(state, "seen-by-map"), layer, index, map, state.view.image);
  });
}

function setPicture(image, source) {
  image.hidden = !source;
  image.alt = "";
  if (source) image.src = source;
}

/** What one map sees: its kernel, and where on the 28 x 28 picture it found that. */
function showMap(state, place, layer, index, map, image) {
  if (!place.childElementCount) {
    place.append(...["kernel", "image", "map"].map(() => new Image()), document.createElement("span"));
  }
  const [kernel, small, over, words] = place.children;
  setPicture(kernel, map.kernel);
  setPicture(small, image);
  setPicture(over, map.picture);
  over.className = "over-map";
  words.textContent = state.texts[`${layer.kind}_seen`].replace("{channel}", map.channel + 1)
    .replace("{number}", index + 1).replaceAll("{side}", layer.receptive_field);
}
