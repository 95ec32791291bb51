// What every page does by itself: the pulse, the countdown, the upload bar. Says to the server
// which requests a person caused, since only those put off the idle lock.
(() => {
  "use strict";
  const body = document.body;
  const find = (id) => document.getElementById(id);

  // htmx: mark requests as live (our own polling) or active (a person's act).
  body.addEventListener("htmx:config:request", (event) => {
    const context = event.detail.ctx;
    const own = context.sourceEvent && context.sourceEvent.type === "refresh";
    context.request.headers[own ? "X-Serment-Live" : "X-Serment-Active"] = "1";
  });

  // Opening a large practice, an audit of the network: the bar follows until it is done.
  const bar = document.querySelector("progress[data-follow]");
  if (bar) {
    const LOOK_MS = 700;
    const look = async () => {
      const answer = await fetch(bar.dataset.follow).catch(() => null);
      const at = answer && answer.ok ? await answer.json() : null;
      if (at ? at.done : answer) return location.reload();
      if (at && at.total) Object.assign(bar, { max: at.total, value: Math.min(at.count, at.total) });
      else if (at) bar.removeAttribute("value");
      if (at) document.querySelector("[data-said]").textContent = at.said;
      setTimeout(look, LOOK_MS);
    };
    setTimeout(look, LOOK_MS);
  }

  if (!body.dataset.left) return;

  const PULSE_MS = 3000;
  const SOON_SECONDS = 120;
  const ACTIVE_MS = 60000;
  let left = Number(body.dataset.left);
  let version = null;
  let moved = false;
  let told = Date.now();

  const leave = () => location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);

  function showLeft() {
    const text = find("left-text");
    if (text) text.textContent = left >= 60 ? `${Math.ceil(left / 60)} min` : `${Math.max(0, left)} s`;
    const soon = find("soon");
    if (soon) soon.hidden = left > SOON_SECONDS;
  }

  function showBeat(receiving) {
    const beat = find("beat");
    if (!beat) return;
    beat.hidden = !receiving;
    const text = find("beat-text");
    text.textContent = receiving === 1 ? text.dataset.one : text.dataset.many.replace("#", receiving);
  }

  function showCount(count) {
    const badge = find("to-file-count");
    if (!badge) return;
    badge.hidden = !count;
    badge.textContent = count;
  }

  function refresh(now) {
    const list = document.querySelector("[data-live]");
    if (list && version === null) version = Number(list.dataset.live);
    if (list && now !== version) list.dispatchEvent(new Event("refresh"));
    version = now;
  }

  async function pulse() {
    try {
      const answer = await fetch("/pulse", { headers: { "X-Serment-Live": "1" } });
      if (answer.status === 401) return leave();
      if (answer.ok) {
        const beat = await answer.json();
        left = beat.left;
        showLeft();
        showBeat(beat.receiving);
        showCount(beat.to_file);
        refresh(beat.version);
      }
    } catch {
      // The server cannot be reached now; the countdown goes on and the next pulse tries again.
    }
    setTimeout(pulse, document.hidden ? 5 * PULSE_MS : PULSE_MS);
  }

  async function stay() {
    moved = false;
    told = Date.now();
    const answer = await fetch("/active", { method: "POST" }).catch(() => null);
    if (answer && answer.status === 401) leave();
  }

  for (const kind of ["pointerdown", "keydown", "wheel"]) {
    addEventListener(kind, () => { moved = true; }, { passive: true, capture: true });
  }
  find("stay")?.addEventListener("click", stay);
  setInterval(() => {
    left -= 1;
    showLeft();
    if (left < -5) leave();
    if (moved && Date.now() - told > ACTIVE_MS) stay();
  }, 1000);
  showLeft();
  pulse();

  // A page restored from the browser's memory may show what a locked session must not.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  // Documents: the file itself is the body, so that it streams.
  for (const form of document.querySelectorAll("form[data-upload]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const file = form.querySelector("input[type=file]").files[0];
      const bar = form.querySelector("progress");
      const said = form.querySelector(".upload-said");
      const request = new XMLHttpRequest();
      const failed = (text) => {
        bar.hidden = true;
        said.classList.add("is-bad");
        said.textContent = text || said.dataset.failed;
      };
      request.open("POST", form.dataset.upload);
      request.setRequestHeader("Content-Type", "application/pdf");
      request.setRequestHeader("X-Serment-Title", encodeURIComponent(form.querySelector("[name=title]").value));
      request.upload.onprogress = (at) => { bar.value = (100 * at.loaded) / at.total; };
      request.onload = () => {
        if (request.status !== 201) return failed(request.responseText);
        said.textContent = said.dataset.done;
        location.reload();
      };
      request.onerror = () => failed("");
      bar.hidden = false;
      said.classList.remove("is-bad");
      said.textContent = said.dataset.busy;
      request.send(file);
    });
  }
})();
