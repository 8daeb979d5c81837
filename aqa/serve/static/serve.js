"use strict";
// Fetch parts of the page again while jobs are at work, and send the files that are dropped.
// The server escapes all text; a part is its own HTML.

const LIVE_MS = 1000, QUIET_MS = 15000;
const PAUSE = 5;  // times as long as an answer took: a large library must not keep the server busy

const isLive = (part) => part.querySelector("[data-live]") !== null;

async function refresh(part) {
  const answer = await fetch(part.dataset.part);
  if (!answer.ok) return;
  const text = await answer.text();
  if (text === part.dataset.shown) return;
  const wasLive = isLive(part), focused = document.activeElement && document.activeElement.id;
  part.innerHTML = text;
  part.dataset.shown = text;
  if (focused && part.querySelector("#" + CSS.escape(focused))) document.getElementById(focused).focus();
  if (wasLive && !isLive(part) && part.dataset.then === "reload") location.reload();
}

async function watch(part) {
  for (let took = 0; ;) {
    await new Promise((done) => setTimeout(done, Math.max(PAUSE * took, isLive(part) ? LIVE_MS : QUIET_MS)));
    if (document.hidden) continue;
    const began = performance.now();
    try { await refresh(part); } catch { /* the server is away: ask again later */ }
    took = performance.now() - began;
  }
}

const parts = [...document.querySelectorAll("[data-part]")];
parts.forEach(watch);

const drop = document.getElementById("drop");

function addLine(name) {
  const line = document.createElement("li"), bar = document.createElement("progress"), words = document.createElement("span");
  const title = document.createElement("b");
  title.textContent = name;
  bar.max = 100;
  bar.value = 0;
  bar.setAttribute("aria-label", "Upload of " + name);
  words.className = "quiet";
  line.append(title, bar, words);
  document.getElementById("uploads").append(line);
  return { line, bar, words };
}

function finish(shown, words, failed) {
  shown.bar.remove();
  shown.words.textContent = words;
  shown.line.classList.add(failed ? "failed" : "done");
}

function send(file) {
  const shown = addLine(file.name);
  if (file.size > Number(drop.dataset.max)) {
    const most = (Number(drop.dataset.max) / 1024 ** 3).toPrecision(2);
    finish(shown, "not sent: it is larger than " + most + " GiB. `aqa serve --max-upload` allows more.", true);
    return Promise.resolve();
  }
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/upload?name=" + encodeURIComponent(file.name));
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      shown.bar.value = event.total ? 100 * event.loaded / event.total : 0;
      if (event.loaded === event.total) shown.words.textContent = "is opened by the decoder …";
    };
    request.onloadend = () => {
      const answer = request.response;
      if (request.status === 201) {
        finish(shown, "is here" + (answer.is_scored ? ", and will be scored" : ""), false);
      } else {
        finish(shown, (answer && answer.reason) || "The connection broke. Does the server run?", true);
      }
      done();
    };
    request.send(file);
  });
}

async function sendAll(files) {
  for (const file of files) {
    await send(file);
    parts.forEach((part) => refresh(part).catch(() => undefined));
  }
}

if (drop) {
  const input = document.getElementById("files");
  input.addEventListener("change", () => { sendAll([...input.files]).then(() => { input.value = ""; }); });
  drop.addEventListener("submit", (event) => event.preventDefault());
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); sendAll([...event.dataTransfer.files]); });
  // A file that misses the field must not replace the page.
  for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
}
