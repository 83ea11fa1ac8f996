"use strict";
// Everything here goes to one server alone: that of this page, or the one that ?server= names.
const query = new URLSearchParams(location.search);
const model = query.get("model") || MODEL;
const own = location.protocol === "file:" ? "http://127.0.0.1:8501" : location.origin;
const address = `${(query.get("server") || own).replace(/\/+$/, "")}/v1/models/${model}`;
const QUADRANTS = ["top left", "top right", "bottom left", "bottom right"];
const $ = (id) => document.getElementById(id);

const RETRY = 3000; // milliseconds after which a server that was away is asked again
const photos = []; // {name, url, code: number[][][] or null, bad: string, waits: boolean}
let scene = -1; // the place of the chosen photo
let side = 2; // of the model's codes, in chunks: 2 for four quadrants, 4 for 16 cells
let parts = []; // places of the photos that the chunks are taken from; null: the scene's own
let asked = 0; // the number of the last mix that was asked for
let again = null; // the timer of the photos that wait for the server

function say(text, bad = false) {
  $("state").textContent = text;
  $("state").classList.toggle("bad", bad);
}

// Refusals that may not last: the server is away, or has too much to do.
class Busy extends Error {}

async function call(path, body) {
  let answer;
  try {
    answer = await fetch(address + path, body && {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
  } catch {
    throw new Busy(`no answer from ${address}`);
  }
  const value = await answer.json().catch(() => ({ error: `status ${answer.status}` }));
  if (!answer.ok) throw new (answer.status === 503 ? Busy : Error)(value.error || `status ${answer.status}`);
  return value;
}

const predict = async (signature, instances) =>
  (await call(":predict", { signature_name: signature, instances })).predictions;
const picture = (bytes) => `data:image/png;base64,${bytes.b64}`;

// ---- Codes: [side][side][C]. The chunks count row by row.

const rowOf = (i) => Math.floor(i / side);
const chunk = (code, i) => code[rowOf(i)][i % side];
const noParts = () => Array(side * side).fill(null);
const nameOf = (i) => (side === 2 ? QUADRANTS[i] : `row ${rowOf(i) + 1}, column ${(i % side) + 1}`);
// The number of the quadrant in which a chunk lies, where side is even.
const quadrantOf = (i) => 2 * Math.floor((2 * rowOf(i)) / side) + Math.floor((2 * (i % side)) / side);

function between(a, b, far, circle) {
  const line = (u, v) => a.map((x, k) => u * x + v * b[k]);
  if (!circle) return line(1 - far, far);
  const length = (x) => Math.hypot(...x);
  const [na, nb] = [length(a), length(b)];
  if (!na || !nb) return line(1 - far, far);
  const cosine = a.reduce((sum, x, k) => sum + x * b[k], 0) / (na * nb);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (angle < 1e-4 || Math.PI - angle < 1e-4) return line(1 - far, far);
  const norm = na + far * (nb - na); // the length goes along a line, the direction along a circle
  const [u, v] = [Math.sin((1 - far) * angle), Math.sin(far * angle)].map((s) => s / Math.sin(angle));
  return line((u * norm) / na, (v * norm) / nb);
}

// As one word of a shell, whatever the address holds.
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function mixed(base, sources, far = 1, circle = false) {
  return base.map((row, r) => row.map((own, c) => {
    const i = r * side + c;
    return sources[i] === null ? own : between(own, chunk(photos[sources[i]].code, i), far, circle);
  }));
}

// ---- Photos

const read = (file) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result);
  reader.onerror = () => failed(new Error("cannot be read"));
  reader.readAsDataURL(file);
});

// What the browser cannot show, nobody needs to send.
async function shown(url) {
  const image = new Image();
  image.src = url;
  await image.decode().catch(() => { throw new Error("no picture"); });
}

async function add(name, url) {
  const photo = { name, url, code: null, bad: "", waits: false };
  photos.push(photo);
  await encode(photo);
}

async function encode(photo) {
  const b64 = photo.url.slice(photo.url.indexOf(",") + 1);
  try {
    if (!b64 || !photo.url.includes(",")) throw new Error("an empty file");
    await shown(photo.url);
    [photo.code] = await predict("encode_bytes", [{ b64 }]);
    photo.bad = "";
    photo.waits = false;
  } catch (error) {
    photo.bad = error.message;
    photo.waits = error instanceof Busy;
  }
  if (photo.code && scene < 0) scene = photos.indexOf(photo);
  if (photo.waits) again ??= setTimeout(encodeWaiting, RETRY);
  draw();
  if (photo.code) redraw();
}

async function encodeWaiting() {
  again = null;
  for (const photo of photos.filter((photo) => photo.waits)) await encode(photo);
  ready();
}

async function addFiles(files) {
  for (const file of files) {
    say(`encoding ${file.name} …`);
    const url = await read(file).catch(() => "");
    await add(file.name, url);
  }
  ready();
}

const usable = () => photos.map((_, i) => i).filter((i) => photos[i].code);

function ready() {
  const names = (waits) => photos.filter((photo) => photo.bad && photo.waits === waits).map((photo) => photo.name);
  const [bad, waiting] = [names(false), names(true)];
  say(`${usable().length} photos encoded${bad.length ? `; not usable: ${bad.join(", ")}` : ""}`
    + (waiting.length ? `; waiting for the server: ${waiting.join(", ")}` : ""), bad.length + waiting.length > 0);
}

// ---- Drawing

function element(tag, values = {}, ...children) {
  const made = Object.assign(document.createElement(tag), values);
  made.append(...children);
  return made;
}

function draw() {
  drawPhotos();
  drawQuadrants();
  for (const [id, at] of [["first", 0], ["second", 1]]) {
    const before = $(id).value;
    $(id).replaceChildren(...usable().map((i) => element("option", { value: i, textContent: photos[i].name })));
    $(id).value = before || String(usable()[at] ?? "");
  }
}

function drawPhotos() {
  $("photos").replaceChildren(...photos.map((photo, i) => {
    const image = element("img", { src: photo.url, alt: photo.name });
    const button = element("button", { type: "button", disabled: !photo.code }, image);
    button.setAttribute("aria-pressed", String(i === scene));
    button.onclick = () => { scene = i; parts = noParts(); draw(); redraw(); };
    const text = photo.bad ? `${photo.name}: ${photo.bad}` : `${i + 1} ${photo.name}`;
    return element("li", {}, button, element("span", { textContent: text, className: photo.bad ? "bad" : "" }));
  }));
}

function drawQuadrants() {
  if (scene < 0) return;
  $("scene").src = photos[scene].url;
  $("scene-name").textContent = photos[scene].name;
  const at = [...$("quadrants").children].indexOf(document.activeElement);
  $("quadrants").replaceChildren(...parts.map((part, i) => {
    const button = element("button", { type: "button" });
    const from = part === null ? "the scene's own" : `from ${photos[part].name}`;
    button.setAttribute("aria-label", `${nameOf(i)}: ${from}`);
    if (part !== null) button.append(element("span", { textContent: String(part + 1) }));
    button.onclick = () => choose(i, next(part));
    button.onkeydown = (event) => key(event, i);
    return button;
  }));
  if (at >= 0) $("quadrants").children[at].focus();
}

function next(part) {
  const others = [null, ...usable().filter((i) => i !== scene)];
  return others[(others.indexOf(part) + 1) % others.length];
}

function choose(i, part) {
  parts[i] = part;
  drawQuadrants();
  redraw();
}

function key(event, i) {
  const [row, column, last] = [rowOf(i), i % side, side - 1];
  const moves = {
    ArrowLeft: [row, Math.max(0, column - 1)], ArrowRight: [row, Math.min(last, column + 1)],
    ArrowUp: [Math.max(0, row - 1), column], ArrowDown: [Math.min(last, row + 1), column],
  };
  const to = moves[event.key];
  if (to) $("quadrants").children[to[0] * side + to[1]].focus();
  else if (event.key === "Delete" || event.key === "Backspace") choose(i, null);
  else if (/^[1-9]$/.test(event.key) && photos[event.key - 1]?.code) choose(i, event.key - 1);
  else return;
  event.preventDefault();
}

async function redraw() {
  if (scene < 0) return;
  const number = ++asked;
  const far = Number($("far").value);
  const circle = document.querySelector("input[name=way]:checked").value === "circle";
  $("far-value").textContent = far.toFixed(2);
  const code = mixed(photos[scene].code, parts, far, circle);
  try {
    const [bytes] = await predict("decode_bytes", [code]);
    if (number !== asked) return; // a later one was asked for meanwhile
    $("mix").src = $("download").href = picture(bytes);
    $("download").hidden = false;
    const body = JSON.stringify({ signature_name: "decode_bytes", instances: [code] });
    $("curl").textContent = `curl -d ${quoted(body)} ${quoted(`${address}:predict`)}`;
  } catch (error) {
    say(error.message, true);
  }
}

async function drawAll() {
  const [first, second] = [$("first").value, $("second").value];
  if (first === "" || second === "") return say("two photos are needed", true);
  const masks = [...Array(16).keys()].map((m) => QUADRANTS.map((_, i) => (m >> (3 - i)) & 1));
  const codes = masks.map((mask) =>
    mixed(photos[first].code, noParts().map((_, i) => (mask[quadrantOf(i)] ? Number(second) : null))));
  try {
    const made = await predict("decode_bytes", codes);
    $("grid").replaceChildren(...made.map((bytes, i) => element("figure", {},
      element("img", { src: picture(bytes), alt: `mask ${masks[i].join("")}` }),
      element("figcaption", { textContent: masks[i].join("") }))));
    say(`all 16 mixes of ${photos[first].name} with ${photos[second].name}`);
  } catch (error) {
    say(error.message, true);
  }
}

// ---- Start

async function start() {
  const drop = $("drop");
  $("files").onchange = (event) => {
    const files = [...event.target.files];
    event.target.value = ""; // or the same file, chosen again, would be no change
    addFiles(files);
  };
  drop.ondragover = (event) => { event.preventDefault(); drop.classList.add("over"); };
  drop.ondragleave = () => drop.classList.remove("over");
  drop.ondrop = (event) => { event.preventDefault(); drop.classList.remove("over"); addFiles([...event.dataTransfer.files]); };
  $("far").oninput = redraw;
  document.querySelectorAll("input[name=way]").forEach((input) => { input.onchange = redraw; });
  $("draw-all").onclick = drawAll;
  await connect();
}

async function connect() {
  try {
    const { metadata, model_spec: spec } = await call("/metadata");
    const signatures = metadata.signature_def.signature_def;
    const missing = ["encode_bytes", "decode_bytes"].filter((name) => !(name in signatures));
    if (missing.length) throw new Error(`the model has no signature ${missing.join(", ")}`);
    const sizes = signatures.decode_bytes.inputs.codes.tensor_shape.dim.map((dim) => Number(dim.size));
    if (sizes.length !== 4 || sizes[1] !== sizes[2]) throw new Error("the model's codes are no square of chunks");
    side = sizes[1];
    parts = noParts();
    $("quadrants").style.setProperty("--side", side);
    $("all").hidden = side % 2 !== 0; // its masks are of quadrants
    for (const [name, url] of EXAMPLES) await add(name, url);
    ready();
    $("state").textContent += ` by ${spec.name}, version ${spec.version}; a chunk has ${sizes[3]} numbers`;
  } catch (error) {
    say(error.message, true);
    if (error instanceof Busy) setTimeout(connect, RETRY);
  }
}

start();
