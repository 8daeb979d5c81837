// The label page: the ends of a performance and the athlete's box are taken from the frame in the player.
"use strict";
(() => {
  document.documentElement.classList.add("has-script");
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const video = find("video"), player = find("player"), bar = find("bar"), athlete = find("athlete");
  const start = find("start"), end = find("end"), box = find("box"), boxAt = find("box-at");
  const MIDDLE = [0.35, 0.2, 0.65, 0.8], NUDGE = 0.02; // shares of the picture
  const LEAST_SIDE = 0.01, BEFORE_END = 0.001, SAME_FRAME = 0.0005, FARTHEST = 2; // a share of the picture; seconds
  let shown = null; // when the frame in the player begins: the browser tells, where it can and some time later
  let asked = 0; // when the page asked for the last jump
  let drawing = false, corner = null, drew = false, until = null, stepping = null;

  const duration = () => (Number.isFinite(video.duration) ? video.duration : 0);
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const clock = (seconds) => {
    const thousandths = Math.round(seconds * 1000);
    const rest = thousandths % 60000;
    return `${Math.floor(thousandths / 60000)}:${String(Math.floor(rest / 1000)).padStart(2, "0")}.${String(rest % 1000).padStart(3, "0")}`;
  };
  const secondsOf = (text) => {
    const match = /^(?:(?:(\d{1,2}):)?(\d{1,4}):)?(\d{1,6}(?:[.,]\d{1,6})?)$/.exec(text.trim()); // the server is stricter
    return match && (Number(match[1] ?? 0) * 60 + Number(match[2] ?? 0)) * 60 + Number(match[3].replace(",", "."));
  };
  const now = () => shown ?? video.currentTime;

  player.style.aspectRatio = `${player.dataset.width} / ${player.dataset.height}`;
  player.style.maxWidth = `calc(60vh * ${player.dataset.width / player.dataset.height})`;

  function jump(seconds) {
    if (!video.paused) video.pause();
    until = stepping = null;
    asked = performance.now();
    shown = null;
    video.currentTime = clamp(seconds, 0, Math.max(0, duration() - BEFORE_END));
    show();
  }
  // Frames may last for different times. The next one is looked for in small jumps, from just behind a usual frame on.
  function stepFrame(direction) {
    const from = now();
    jump(from + (direction > 0 ? 1.05 : -0.25) * data.frame);
    stepping = direction > 0 ? { from, ahead: 1.05 } : null;
  }
  function stepOn() {
    if (!stepping || shown === null || video.seeking) return;
    const { from, ahead } = stepping;
    const isSame = Math.abs(shown - from) < SAME_FRAME && from + ahead * data.frame < Math.min(from + FARTHEST, duration());
    if (isSame) jump(from + (ahead + 0.5) * data.frame);
    stepping = isSame ? { from, ahead: ahead + 0.5 } : null;
  }
  function togglePlay() {
    if (!video.paused) return video.pause();
    until = null;
    if (video.ended) jump(0);
    video.play();
  }

  function place(part, from, to) {
    part.style.left = `${(100 * from) / duration()}%`;
    part.style.width = `${(100 * Math.max(0, to - from)) / duration()}%`;
  }
  function show() {
    const seconds = now();
    find("playhead").style.left = `${duration() ? (100 * seconds) / duration() : 0}%`;
    find("readout").textContent = clock(seconds);
    bar.setAttribute("aria-valuenow", seconds.toFixed(3));
    bar.setAttribute("aria-valuetext", clock(seconds));
    find("play").textContent = video.paused ? "Play" : "Pause";
    showPart();
    showBox();
  }
  function showPart() {
    const [from, to] = [secondsOf(start.value) ?? 0, secondsOf(end.value) ?? duration()];
    const cut = Boolean(start.value.trim() || end.value.trim());
    find("part").hidden = find("play-part").hidden = !cut || !duration() || to < from;
    if (!find("part").hidden) place(find("part"), from, Math.min(to + data.frame, duration()));
  }
  function showOthers() {
    bar.setAttribute("aria-valuemax", duration().toFixed(3));
    find("parts").replaceChildren(...data.parts.filter((each) => each.id !== data.editing).map((each) => {
      const other = document.createElement("div");
      other.className = "other";
      other.title = each.id;
      place(other, each.start, Math.min(each.stop + data.frame, duration()));
      return other;
    }));
  }

  // The athlete's box is shown with the frame in which it was drawn.
  const corners = () => (box.value ? box.value.split(",").map(Number) : null);
  function showBox() {
    const at = corner ? [...corner.from, ...corner.to] : corners();
    const isHere = corner || (at && Math.abs(now() - (secondsOf(boxAt.value) ?? 0)) < data.frame / 2 + 0.001);
    const [x1, y1, x2, y2] = isHere && at ? at : [0, 0, 0, 0];
    for (const [name, value] of [["x", Math.min(x1, x2)], ["y", Math.min(y1, y2)], ["width", Math.abs(x2 - x1)], ["height", Math.abs(y2 - y1)]])
      athlete.setAttribute(name, value);
    if (!find("box-words")) return;
    find("box-words").textContent = corners() ? `This athlete is followed from ${boxAt.value} on.` : data.nobodyPointed;
    find("show-box").hidden = find("clear-box").hidden = !corners();
  }
  function setBox(x1, y1, x2, y2) {
    box.value = [x1, y1, x2, y2].map((share) => share.toFixed(6)).join(",");
    boxAt.value = clock(now());
  }
  function point(on) {
    drawing = on && Boolean(find("box-words"));
    corner = null;
    if (drawing) video.pause();
    player.classList.toggle("drawing", drawing);
    find("hint").hidden = !drawing;
    find("point")?.setAttribute("aria-pressed", String(drawing));
  }
  // Arrow keys move the box, and with Shift they move its lower right corner.
  function nudge(across, down, isSize) {
    corner = null;
    const [x1, y1, x2, y2] = corners() ?? MIDDLE;
    const [left, top] = isSize ? [x1, y1] : [clamp(x1 + across, 0, 1 - (x2 - x1)), clamp(y1 + down, 0, 1 - (y2 - y1))];
    const [right, bottom] = isSize ? [clamp(x2 + across, x1 + NUDGE, 1), clamp(y2 + down, y1 + NUDGE, 1)] : [left + x2 - x1, top + y2 - y1];
    setBox(left, top, right, bottom);
    showBox();
  }
  const shareAt = (event) => {
    const area = player.getBoundingClientRect();
    return [clamp((event.clientX - area.left) / area.width, 0, 1), clamp((event.clientY - area.top) / area.height, 0, 1)];
  };
  player.addEventListener("pointerdown", (event) => {
    if (!drawing) return;
    event.preventDefault();
    player.setPointerCapture(event.pointerId);
    corner = { from: corner?.from ?? shareAt(event), to: shareAt(event) }; // a tap sets one corner, the next the other
    drew = true; // the click that ends it does not play
  });
  player.addEventListener("pointermove", (event) => {
    if (!corner) return;
    corner.to = shareAt(event);
    showBox();
  });
  player.addEventListener("pointerup", () => {
    if (!corner) return;
    const [[x1, y1], [x2, y2]] = [corner.from, corner.to];
    if (Math.abs(x2 - x1) > LEAST_SIDE && Math.abs(y2 - y1) > LEAST_SIDE) {
      setBox(Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2));
      point(false);
    }
    showBox();
  });
  player.addEventListener("pointercancel", () => { corner = null; showBox(); });
  player.addEventListener("click", () => { if (!drew) togglePlay(); drew = false; });

  const secondsOn = (event) => {
    const area = bar.getBoundingClientRect();
    return clamp((event.clientX - area.left) / area.width, 0, 1) * duration();
  };
  bar.addEventListener("pointerdown", (event) => { bar.setPointerCapture(event.pointerId); jump(secondsOn(event)); });
  bar.addEventListener("pointermove", (event) => { if (bar.hasPointerCapture(event.pointerId)) jump(secondsOn(event)); });

  const startHere = () => { start.value = clock(now()); show(); };
  const endHere = () => { end.value = clock(now()); show(); };
  const keys = {
    " ": togglePlay, ",": () => stepFrame(-1), ".": () => stepFrame(1),
    ArrowLeft: (event) => jump(now() - (event.shiftKey ? 5 : 1)), ArrowRight: (event) => jump(now() + (event.shiftKey ? 5 : 1)),
    Home: () => jump(0), End: () => jump(duration()),
    s: startHere, e: endHere, a: () => point(!drawing), Escape: () => { point(false); showBox(); },
  };
  const drawingKeys = {
    ArrowLeft: (event) => nudge(-NUDGE, 0, event.shiftKey), ArrowRight: (event) => nudge(NUDGE, 0, event.shiftKey),
    ArrowUp: (event) => nudge(0, -NUDGE, event.shiftKey), ArrowDown: (event) => nudge(0, NUDGE, event.shiftKey),
    Enter: () => point(false),
  };
  // Keys belong to the player unless somebody types, chooses or presses a button.
  addEventListener("keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const isTyping = event.target.closest("input, select, textarea, summary, a") || (event.target.closest("button") && [" ", "Enter"].includes(key));
    const act = (drawing ? drawingKeys[key] : undefined) ?? keys[key];
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !act) return;
    event.preventDefault();
    act(event);
  });

  find("play").addEventListener("click", togglePlay);
  find("previous-frame").addEventListener("click", () => stepFrame(-1));
  find("next-frame").addEventListener("click", () => stepFrame(1));
  find("speed").addEventListener("change", (event) => { video.playbackRate = Number(event.target.value); });
  find("start-here").addEventListener("click", startHere);
  find("end-here").addEventListener("click", endHere);
  find("play-part").addEventListener("click", () => {
    jump(secondsOf(start.value) ?? 0);
    until = (secondsOf(end.value) ?? duration()) + data.frame / 2;
    video.play();
  });
  find("point")?.addEventListener("click", () => point(!drawing));
  find("show-box")?.addEventListener("click", () => jump((secondsOf(boxAt.value) ?? 0) + data.frame / 2));
  find("clear-box")?.addEventListener("click", () => { box.value = boxAt.value = ""; showBox(); });
  find("choose").addEventListener("change", (event) => event.target.form.submit());
  for (const each of [start, end]) each.addEventListener("input", showPart);

  const follow = () => {
    if (until !== null && video.currentTime >= until) { video.pause(); until = null; }
    show();
    if (!video.paused) requestAnimationFrame(follow);
  };
  const watch = (_, facts) => {
    if (facts.presentationTime >= asked) shown = facts.mediaTime; // else it is the frame before the jump
    show();
    video.requestVideoFrameCallback(watch); // before the next jump, whose frame may come at once
    stepOn();
  };
  const ready = () => {
    showOthers();
    const begin = secondsOf(start.value) ?? data.continue;
    if (begin) jump(begin + data.frame / 2);
    show();
  };
  video.requestVideoFrameCallback?.(watch);
  video.addEventListener("play", follow);
  for (const name of ["timeupdate", "seeked", "pause"]) video.addEventListener(name, show);
  video.addEventListener("seeked", stepOn); // some tell of the frame before the jump ends
  video.addEventListener("error", () => { find("no-video").hidden = false; player.hidden = true; });
  video.addEventListener("loadedmetadata", ready);
  if (video.readyState >= 1) ready();
  find("refused")?.focus();
})();
