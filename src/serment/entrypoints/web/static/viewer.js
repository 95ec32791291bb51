// The viewer: shows frames that the server renders. Scrolls, windows, zooms, pans, plays; works by
// mouse, touch and keyboard; fetches the next frames ahead. Pictures live in this tab's memory only.

const PREFETCH = [1, 2, -1, 3, 4, -2, 5, 6];
const AT_ONCE = 3;
const BUDGET_PIXELS = 48_000_000;
const SETTLE_MS = 90;
const PLAY_MS = 90;
const STEP = 512;

const find = (id) => document.getElementById(id);

function start(study) {
  const film = find("film");
  const canvas = find("canvas");
  const context = canvas.getContext("2d", { alpha: false });
  const slider = find("slider");
  const preset = find("preset");
  const frames = new Frames(film);
  const say = study.labels;
  let tool = "window";
  let series = 0;
  let list = [];
  let index = 0;
  let direction = 1;
  let shown = null; // { bitmap, window, item }
  let view = { zoom: 1, x: 0, y: 0 };
  let window_ = null; // chosen window [centre, width]; null = each image's own
  let inverted = false;
  let playing = 0;
  let settle = 0;
  let wanted = 0;

  // What is shown

  const item = () => list[index];
  const windowNow = () => window_ ?? item()?.window ?? null;

  function open(number) {
    const found = study.series[number];
    if (!found) return;
    stop();
    series = number;
    list = found.frames;
    index = Math.floor(list.length / 2);
    if (found.kind !== "volume") index = 0;
    window_ = null;
    preset.value = "";
    view = { zoom: 1, x: 0, y: 0 };
    slider.max = list.length;
    slider.disabled = list.length < 2;
    find("play").disabled = list.length < 2;
    for (const option of preset.querySelectorAll("[data-modality]")) option.hidden = option.disabled = option.dataset.modality !== found.modality;
    const grey = Boolean(item()?.window);
    preset.disabled = find("tool-window").disabled = !grey;
    setTool(grey ? "window" : "scroll");
    for (const button of document.querySelectorAll("[data-series]")) {
      if (Number(button.dataset.series) === number) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    find("corner-series").textContent = [found.title, found.modality].filter(Boolean).join("\n");
    find("corner-who").textContent = study.who;
    show(true);
  }

  function go(step, act = true) {
    const next = Math.min(list.length - 1, Math.max(0, index + step));
    if (next === index) return;
    direction = Math.sign(step);
    index = next;
    show(act);
  }

  async function show(act) {
    const now = item();
    if (!now) return;
    const ticket = ++wanted;
    write();
    const key = address(now, window_, target(now));
    try {
      const bitmap = await frames.get(key, act);
      if (ticket !== wanted) return;
      find("film-problem").hidden = true;
      shown = { bitmap, window: windowNow(), item: now };
      draw();
      frames.ahead(PREFETCH.map((step) => list[index + step * direction]).filter(Boolean).map((near) => address(near, window_, target(near))));
    } catch (problem) {
      if (ticket !== wanted) return;
      if (problem.status === 401) return location.reload();
      find("film-problem").textContent = problem.text || say.failed;
      find("film-problem").hidden = false;
    }
  }

  // The longer side to ask for: what the screen can show, in steps, never more than there is.
  function target(one) {
    const native = Math.max(one.rows, one.columns);
    const scale = fit(one.columns, one.rows) * view.zoom;
    const seen = Math.ceil((native * scale) / STEP) * STEP;
    return seen >= native ? 0 : seen;
  }

  function fit(width, height) {
    return Math.min(canvas.width / width, canvas.height / height) || 1;
  }

  function draw() {
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!shown) return;
    const { columns, rows } = shown.item;
    const scale = fit(columns, rows) * view.zoom;
    const width = columns * scale;
    const height = rows * scale;
    const left = (canvas.width - width) / 2 + view.x;
    const top = (canvas.height - height) / 2 + view.y;
    context.imageSmoothingEnabled = scale < 4;
    context.imageSmoothingQuality = "high";
    context.drawImage(approximate(shown, windowNow()), left, top, width, height);
    if (inverted) {
      context.globalCompositeOperation = "difference";
      context.fillStyle = "#fff";
      context.fillRect(left, top, width, height);
      context.globalCompositeOperation = "source-over";
    }
    watermark();
  }

  // Who looks and when, across the picture: a photograph of the screen says where it came from.
  function watermark() {
    const ratio = devicePixelRatio || 1;
    const text = `${study.user} · ${new Date().toLocaleString(document.documentElement.lang === "en" ? "en-GB" : "fr-FR", { dateStyle: "short", timeStyle: "short" })}`;
    context.save();
    context.font = `${15 * ratio}px sans-serif`;
    context.fillStyle = "rgb(255 255 255 / 9%)";
    context.translate(canvas.width / 2, canvas.height / 2);
    context.rotate(-0.35);
    const across = context.measureText(text).width + 120 * ratio;
    const down = 190 * ratio;
    const reach = Math.hypot(canvas.width, canvas.height) / 2;
    for (let y = -reach; y < reach; y += down) for (let x = -reach; x < reach; x += across) context.fillText(text, x, y);
    context.restore();
  }

  function write() {
    const now = windowNow();
    slider.value = index + 1;
    slider.setAttribute("aria-valuetext", say.image.replace("%n", index + 1).replace("%all", list.length));
    find("film-state").textContent = say.image.replace("%n", index + 1).replace("%all", list.length);
    find("corner-window").textContent = [now ? say.window.replace("%c", Math.round(now[0])).replace("%w", Math.round(now[1])) : say.colour, `${Math.round(view.zoom * 100)} %`].join("\n");
  }

  // What a person does

  function setWindow(next) {
    if (!item()?.window) return;
    window_ = next && [next[0], Math.max(1, next[1])];
    write();
    draw();
    clearTimeout(settle);
    settle = setTimeout(() => show(true), SETTLE_MS);
  }

  function shiftWindow(dx, dy) {
    const now = windowNow();
    if (!now) return;
    const unit = Math.max(0.2, now[1] / 400);
    preset.value = "";
    setWindow([now[0] + dy * unit, now[1] + dx * unit]);
  }

  function zoom(factor, x = 0, y = 0) {
    const next = Math.min(16, Math.max(0.25, view.zoom * factor));
    const real = next / view.zoom;
    view = { zoom: next, x: x - (x - view.x) * real, y: y - (y - view.y) * real };
    write();
    draw();
    clearTimeout(settle);
    settle = setTimeout(() => show(true), SETTLE_MS);
  }

  function pan(dx, dy) {
    view = { ...view, x: view.x + dx, y: view.y + dy };
    draw();
  }

  function reset() {
    view = { zoom: 1, x: 0, y: 0 };
    window_ = null;
    preset.value = "";
    setInvert(false);
    show(true);
  }

  function setInvert(on) {
    inverted = on;
    find("invert").setAttribute("aria-pressed", String(on));
    draw();
  }

  function setTool(name) {
    tool = name;
    for (const button of document.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", String(button.dataset.tool === name));
  }

  function stop() {
    clearTimeout(playing);
    playing = 0;
    find("play").setAttribute("aria-pressed", "false");
  }

  function play() {
    if (playing) return stop();
    find("play").setAttribute("aria-pressed", "true");
    const turn = async () => {
      index = (index + 1) % list.length;
      direction = 1;
      const began = performance.now();
      await show(false);
      if (playing) playing = setTimeout(turn, Math.max(10, PLAY_MS - (performance.now() - began)));
    };
    playing = setTimeout(turn, PLAY_MS);
  }

  const keys = {
    ArrowDown: () => go(1), ArrowUp: () => go(-1), PageDown: () => go(10), PageUp: () => go(-10),
    Home: () => go(-list.length), End: () => go(list.length),
    ArrowRight: () => openNext(1), ArrowLeft: () => openNext(-1),
    "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: reset,
    i: () => setInvert(!inverted), " ": play,
  };
  const shifted = {
    ArrowDown: () => shiftWindow(0, 20), ArrowUp: () => shiftWindow(0, -20),
    ArrowRight: () => shiftWindow(20, 0), ArrowLeft: () => shiftWindow(-20, 0),
  };

  function openNext(step) {
    for (let number = series + step; study.series[number]; number += step) {
      if (study.series[number].frames.length) return open(number);
    }
  }

  film.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const act = (event.shiftKey && shifted[event.key]) || keys[event.key];
    if (!act) return;
    event.preventDefault();
    if (event.key !== " ") stop();
    act();
  });

  let turned = 0;
  film.addEventListener("wheel", (event) => {
    event.preventDefault();
    const ratio = devicePixelRatio || 1;
    const box = film.getBoundingClientRect();
    if (event.ctrlKey) return zoom(Math.exp(-event.deltaY / 300), (event.clientX - box.left) * ratio - canvas.width / 2, (event.clientY - box.top) * ratio - canvas.height / 2);
    stop();
    turned += event.deltaMode ? event.deltaY * 30 : event.deltaY;
    const steps = Math.trunc(turned / 30);
    if (steps) {
      turned -= steps * 30;
      go(Math.abs(steps) > 4 ? Math.sign(steps) * 4 : Math.sign(steps));
    }
  }, { passive: false });

  // One pointer drags with the tool, two pinch; the middle button moves, the right one zooms.
  const pointers = new Map();
  let dragged = 0;
  film.addEventListener("contextmenu", (event) => event.preventDefault());
  film.addEventListener("pointerdown", (event) => {
    film.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
    dragged = 0;
    stop();
  });
  for (const kind of ["pointerup", "pointercancel"]) film.addEventListener(kind, (event) => pointers.delete(event.pointerId));
  film.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const ratio = devicePixelRatio || 1;
    const dx = event.clientX - before.clientX;
    const dy = event.clientY - before.clientY;
    if (pointers.size === 2) {
      const other = [...pointers.values()].find((each) => each.pointerId !== event.pointerId);
      const far = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
      zoom(far(event) / far(before));
      pan((dx * ratio) / 2, (dy * ratio) / 2);
    } else {
      const act = event.buttons & 4 ? "pan" : event.buttons & 2 ? "zoom" : tool;
      if (act === "window") shiftWindow(dx, dy);
      else if (act === "pan") pan(dx * ratio, dy * ratio);
      else if (act === "zoom") zoom(Math.exp(-dy / 150));
      else {
        dragged += dy;
        const steps = Math.trunc(dragged / 8);
        if (steps) {
          dragged -= steps * 8;
          go(steps);
        }
      }
    }
    pointers.set(event.pointerId, event);
  });

  slider.addEventListener("input", () => { stop(); go(Number(slider.value) - 1 - index); });
  preset.addEventListener("change", () => setWindow(preset.value ? preset.value.split(",").map(Number) : null));
  find("invert").addEventListener("click", () => setInvert(!inverted));
  find("reset").addEventListener("click", reset);
  find("play").addEventListener("click", play);
  for (const button of document.querySelectorAll("[data-tool]")) button.addEventListener("click", () => setTool(button.dataset.tool));
  for (const button of document.querySelectorAll("[data-series]")) button.addEventListener("click", () => open(Number(button.dataset.series)));

  new ResizeObserver(() => {
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(film.clientWidth * ratio);
    canvas.height = Math.round(film.clientHeight * ratio);
    if (shown) { draw(); show(false); } else openNextFrom(0);
  }).observe(film);

  function openNextFrom(number) {
    series = number - 1;
    openNext(1);
    if (!list.length) { find("film-problem").textContent = say.none; find("film-problem").hidden = false; }
  }
}

function address(one, chosen, size) {
  const asked = new URLSearchParams();
  if (chosen && one.window) {
    asked.set("c", chosen[0].toFixed(1));
    asked.set("w", chosen[1].toFixed(1));
  }
  if (size) asked.set("s", size);
  const text = asked.toString();
  return `/frames/${one.object}/${one.frame}${text ? `?${text}` : ""}`;
}

// The picture at another window, computed here until the server's own arrives; exact except where
// the shown window had cut off.
let scratch = null;
function approximate(shown, next) {
  const { bitmap, window: from } = shown;
  if (!from || !next || (from[0] === next[0] && from[1] === next[1])) return bitmap;
  if (bitmap.width * bitmap.height > 4_000_000) return bitmap;
  scratch ??= new OffscreenCanvas(1, 1);
  scratch.width = bitmap.width;
  scratch.height = bitmap.height;
  const context = scratch.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);
  const low = from[0] - from[1] / 2;
  const floor = next[0] - next[1] / 2;
  const table = new Uint8ClampedArray(256).map((_, grey) => ((low + (grey / 255) * from[1] - floor) / next[1]) * 255);
  const data = pixels.data;
  for (let at = 0; at < data.length; at += 4) data[at] = data[at + 1] = data[at + 2] = table[data[at]];
  context.putImageData(pixels, 0, 0);
  return scratch;
}

// Frames by address: fetched once, decoded once, the least recently used dropped first.
class Frames {
  constructor(film) {
    this.film = film;
    this.kept = new Map();
    this.pixels = 0;
    this.queue = [];
    this.busy = 0;
    this.loading = 0;
  }

  get(key, act) {
    const found = this.kept.get(key);
    if (found) {
      this.kept.delete(key);
      this.kept.set(key, found);
      return found;
    }
    const coming = this.fetch(key, act);
    this.kept.set(key, coming);
    coming.then((bitmap) => this.weigh(bitmap), () => this.kept.delete(key));
    return coming;
  }

  async fetch(key, act) {
    if (act) this.wait(1);
    try {
      const answer = await fetch(key, { headers: { [act ? "X-Serment-Active" : "X-Serment-Live"]: "1" } });
      if (!answer.ok) throw Object.assign(new Error("frame"), { status: answer.status, text: answer.status < 500 ? await answer.text() : "" });
      return await createImageBitmap(await answer.blob());
    } finally {
      if (act) this.wait(-1);
    }
  }

  wait(change) {
    this.loading += change;
    find("film-wait").hidden = this.loading === 0;
  }

  weigh(bitmap) {
    this.pixels += bitmap.width * bitmap.height;
    if (this.pixels <= BUDGET_PIXELS) return;
    const [key, oldest] = this.kept.entries().next().value;
    this.kept.delete(key);
    oldest.then((old) => { this.pixels -= old.width * old.height; }, () => null);
  }

  ahead(keys) {
    this.queue = keys.filter((key) => !this.kept.has(key));
    while (this.busy < AT_ONCE && this.queue.length) this.next();
  }

  async next() {
    const key = this.queue.shift();
    if (!key) return;
    this.busy += 1;
    await this.get(key, false).catch(() => null);
    this.busy -= 1;
    this.next();
  }
}

const source = find("study");
if (source) start(JSON.parse(source.textContent));
