// The page of a scored video: one clock, shown by the player, the playhead, the outline and the readout.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const video = find("video"), timeline = find("timeline"), playhead = find("playhead");
  const readout = find("readout"), outline = find("outline"), skeleton = find("skeleton"), angles = find("angles"), exact = find("exact"), toggle = find("show-outline");
  const SAME_FRAME = 0.0005, BEFORE_END = 0.001, FARTHEST = 2, BOX_LASTS = 1.5; // seconds
  let shown = null; // when the frame in the player begins: the browser tells, where it can
  let sought = null, frame = null; // the player's time of the last jump, and when the frame meant begins
  let asked = 0, arrived = false; // when the page asked for that jump, and whether its frame was told since
  let now = 0, playable = false, wanted = null, boxes = true, weights = false, plots = [];
  let zoom = 1, looping = false, span = [0, data.duration]; // seconds that a loop repeats: the moment clicked last

  const clamp = (seconds) => Math.min(Math.max(seconds, 0), data.duration);
  const clock = (seconds) => {
    const tenths = Math.floor(Math.round(seconds * 1e6) / 1e5);
    return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
  };
  const stepAt = (track, seconds) => track.starts.findIndex((start, i) => start <= seconds && seconds < track.stops[i]);

  // Attention weights are shown on request.
  const shownTracks = () => data.tracks.filter((track) => weights || track.kind !== "attention");

  function describe(seconds) {
    const parts = shownTracks().map((track) => {
      const step = stepAt(track, seconds);
      if (step < 0) return `${track.name}: nothing here`;
      if (track.kind === "effect") return `${track.name}, this moment: ${track.labels[step]}`;
      const level = ["highest", "lowest"].includes(track.levels[step]) ? `, among the ${track.levels[step]}` : "";
      return `${track.name}: ${track.labels[step]}${level}`;
    });
    return [clock(seconds), ...parts].join("  ·  ");
  }

  function show(seconds) {
    now = clamp(seconds);
    playhead.style.left = `${(100 * now) / data.duration}%`;
    timeline.setAttribute("aria-valuenow", now.toFixed(2));
    timeline.setAttribute("aria-valuetext", describe(now));
    readout.textContent = describe(now);
    if (exact) exact.textContent = `${now.toFixed(3)} s`;
    drawOutline();
  }

  // Between the frames in which two boxes were found, the box is on the line from one to the other.
  function cornersAt(index, seconds) {
    const one = data.outlines[index], other = data.outlines[index + (seconds < one.at ? -1 : 1)];
    const apart = Math.abs(other?.at - one.at); // not a number without a time of its own
    if (!(apart > 0 && apart <= BOX_LASTS)) return one.corners;
    const share = Math.min(1, Math.abs(seconds - one.at) / apart);
    return one.corners.map(([x, y], i) => [x + share * (other.corners[i][0] - x), y + share * (other.corners[i][1] - y)]);
  }

  // A zoomed picture grows around the athlete, who stays in place.
  function aim(corners) {
    const middle = [0, 1].map((axis) => corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length);
    for (const layer of [video, outline.ownerSVGElement]) {
      layer.style.transformOrigin = middle.map((share) => `${100 * share}%`).join(" ");
    }
  }
  function magnify() {
    for (const layer of [video, outline.ownerSVGElement]) layer.style.transform = `scale(${zoom})`;
    video.controls = zoom === 1; // they would grow too; a click plays meanwhile
  }

  // The outline belongs to the frame in the player. After a jump that is still the old frame for a while.
  function drawOutline() {
    if (!outline) return;
    const seconds = (shown ?? now) + SAME_FRAME;
    const index = data.outlines.findIndex((each) => each.start <= seconds && seconds < each.stop);
    const at = boxes && data.outlines[index], corners = index < 0 ? [] : cornersAt(index, seconds - SAME_FRAME);
    if (corners.length) aim(corners);
    outline.setAttribute("points", at ? corners.map((corner) => corner.join(",")).join(" ") : "");
    if (angles) angles.textContent = Object.entries(data.outlines[index]?.angles ?? {}).map(([name, degrees]) => `${name} ${degrees}°`).join("  ·  ") || "no joint is seen here";
    skeleton.setAttribute("d", (at?.bones ?? []).map(([x, y, u, v]) => `M${x},${y}L${u},${v}`).join(""));
  }

  function seek(seconds) {
    sought = seconds;
    asked = performance.now();
    arrived = false;
    video.currentTime = seconds;
  }

  function jump(seconds, toFrame = null) {
    show(seconds);
    frame = toFrame;
    if (!video) return;
    if (playable) seek(data.offset + Math.min(now, data.duration - BEFORE_END));
    else wanted = now;
  }

  // Where a file does not say how long each frame lasts, players take the mean, and may stop one too early.
  // A busy browser tells of the frame of a jump long after the jump has ended.
  function reachFrame() {
    if (frame === null || !arrived || video.seeking || !video.paused) return;
    const missing = frame - shown, next = sought + missing / 2;
    if (missing > SAME_FRAME && next < data.offset + frame + FARTHEST) seek(next);
    else frame = null;
  }

  // The middle of a frame is safe from the rounding of players. Frames are taken for evenly long.
  function stepFrame(direction) {
    if (!playable) return;
    video.pause();
    jump((Math.floor(now / data.frame + 0.01) + direction + 0.5) * data.frame);
  }

  function togglePlay() {
    if (!playable) return;
    if (video.paused) {
      if (now >= data.duration - 0.05) jump(0);
      video.play();
    } else video.pause();
  }

  if (video) {
    const failed = () => { find("no-video").hidden = false; find("player").hidden = true; playable = false; };
    const ready = () => {
      if (playable) return;
      playable = true;
      if (wanted !== null || data.offset) jump(wanted ?? 0, frame);
    };
    const follow = () => {
      const jumped = sought !== null && Math.abs(video.currentTime - sought) < SAME_FRAME;
      if (!video.seeking) show(jumped ? now : video.currentTime - data.offset);
      const over = video.currentTime - data.offset - (looping ? span[1] : data.duration + 0.02);
      if (looping && over >= 0 && !video.seeking) { jump(span[0]); if (video.ended) video.play(); }
      else if (!video.paused && over >= 0 && !looping) video.pause();
      if (!video.paused && !video.ended) requestAnimationFrame(follow);
    };
    const watch = (_, facts) => {
      shown = facts.mediaTime - data.offset;
      arrived ||= facts.presentationTime >= asked;
      drawOutline();
      video.requestVideoFrameCallback(watch); // before the next jump, whose frame may come at once
      reachFrame();
    };
    video.requestVideoFrameCallback?.(watch);
    video.addEventListener("error", failed);
    video.addEventListener("loadedmetadata", ready);
    video.addEventListener("play", follow);
    for (const name of ["timeupdate", "seeked", "pause"]) video.addEventListener(name, () => video.paused && follow());
    video.addEventListener("seeked", reachFrame); // some tell of the frame before the jump ends
    if (video.error) failed();
    else if (video.readyState >= 1) ready();
  }

  const secondsAt = (event) => {
    const place = timeline.getBoundingClientRect();
    return clamp((data.duration * (event.clientX - place.left)) / place.width);
  };
  timeline.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (event.pointerType === "mouse") timeline.setPointerCapture(event.pointerId);
    jump(secondsAt(event));
  });
  timeline.addEventListener("pointermove", (event) => {
    if (timeline.hasPointerCapture(event.pointerId) && event.buttons) jump(secondsAt(event));
    else if (event.pointerType === "mouse") readout.textContent = describe(secondsAt(event));
  });
  timeline.addEventListener("pointerleave", () => show(now));

  function jumpToNeighbour(direction) {
    const steps = shownTracks().flatMap((track) => track.jumps.map((at, step) => [at, track.frames[step]]));
    steps.sort((a, b) => a[0] - b[0]);
    const next = direction > 0 ? steps.find(([at]) => at > now + 1e-3) : steps.findLast(([at]) => at < now - 1e-3);
    jump(...(next ?? [direction > 0 ? data.duration : 0]));
  }
  const keys = {
    ArrowLeft: (event) => jump(now - (event.shiftKey ? 5 : 1)),
    ArrowDown: (event) => jump(now - (event.shiftKey ? 5 : 1)),
    ArrowRight: (event) => jump(now + (event.shiftKey ? 5 : 1)),
    ArrowUp: (event) => jump(now + (event.shiftKey ? 5 : 1)),
    PageUp: () => jumpToNeighbour(-1),
    PageDown: () => jumpToNeighbour(1),
    Home: () => jump(0),
    End: () => jump(data.duration),
    " ": togglePlay,
    Enter: togglePlay,
    ",": () => stepFrame(-1),
    ".": () => stepFrame(1),
  };
  timeline.addEventListener("keydown", (event) => {
    if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key](event);
  });

  for (const button of document.querySelectorAll("[data-jump]")) {
    button.addEventListener("click", () => {
      span = [Number(button.dataset.jump), Number(button.dataset.stop)];
      jump(Number(button.dataset.jump), button.dataset.frame ? Number(button.dataset.frame) : null);
      (find("player") ?? timeline).scrollIntoView({ block: "nearest", behavior: "instant" });
    });
  }
  toggle?.addEventListener("click", () => {
    boxes = !boxes;
    toggle.setAttribute("aria-pressed", String(boxes));
    toggle.textContent = `Athlete's ${toggle.dataset.what}: ${boxes ? "on" : "off"}`;
    show(now);
  });

  find("previous-frame")?.addEventListener("click", () => stepFrame(-1));
  find("next-frame")?.addEventListener("click", () => stepFrame(1));
  find("speed")?.addEventListener("change", (event) => { video.playbackRate = Number(event.target.value); });
  find("zoom")?.addEventListener("change", (event) => {
    zoom = Number(event.target.value);
    magnify();
  });
  video?.addEventListener("click", () => { if (!video.controls) togglePlay(); });
  const switchLoop = find("loop");
  switchLoop?.addEventListener("click", () => {
    looping = !looping;
    switchLoop.setAttribute("aria-pressed", String(looping));
    switchLoop.textContent = looping ? `Loop: ${clock(span[0])} – ${clock(span[1])}` : "Loop: off";
    if (looping && (now < span[0] || now >= span[1])) jump(span[0]);
  });

  const switchWeights = find("show-weights");
  switchWeights?.addEventListener("click", () => {
    weights = !weights;
    switchWeights.setAttribute("aria-pressed", String(weights));
    switchWeights.textContent = `Attention weights: ${weights ? "on" : "off"}`;
    for (const part of document.querySelectorAll("[data-weights]")) part.hidden = !weights;
    draw();
    show(now);
  });

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  function plot(place) {
    const track = data.tracks[Number(place.dataset.track)];
    const [most, least] = track.kind === "attention" ? ["bar", "bar"] : ["high", "low"]; // a weight has no sign
    const fill = { highest: colour(most), lowest: colour(least), other: colour("bar"), unseen: colour("unseen") };
    const [low, high] = track.ends;
    const margin = 0.08 * (high - low || 1);
    const gap = (u) => (1.5 * data.duration) / u.over.clientWidth; // seconds: steps stay apart for the eye
    const bars = uPlot.paths.bars({
      disp: {
        x0: { unit: 1, values: () => track.starts },
        size: { unit: 1, values: (u) => track.starts.map((start, i) => track.stops[i] - start - gap(u)) },
        fill: { unit: 3, values: () => track.levels.map((level) => fill[level]) },
      },
    });
    const line = (u) => {
      const y = u.valToPos(track.reference, "y", true);
      u.ctx.save();
      u.ctx.strokeStyle = colour("quiet");
      u.ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
      u.ctx.lineWidth = devicePixelRatio;
      u.ctx.beginPath();
      u.ctx.moveTo(u.bbox.left, y);
      u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
      u.ctx.stroke();
      u.ctx.restore();
    };
    return new uPlot({
      width: place.clientWidth, height: place.clientHeight, padding: [2, 0, 2, 0],
      cursor: { show: false }, legend: { show: false }, select: { show: false },
      scales: { x: { time: false, range: [0, data.duration] }, y: { range: [low - (track.kind === "attention" ? 0 : margin), high + margin] } },
      axes: [{ show: false }, { show: false }],
      // Weights stand on zero; effects and scores rise above the line and hang below it.
      series: [{}, { paths: bars, fill: fill.other, width: 0, points: { show: false }, fillTo: track.kind === "attention" ? undefined : () => track.reference }],
      hooks: { draw: [line] },
    }, [track.starts, track.values], place);
  }
  function draw() {
    plots.forEach((each) => each.destroy());
    plots = [...document.querySelectorAll(".plot")].filter((place) => place.clientWidth).map(plot);
  }
  draw();
  show(0);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("resize", draw);
  addEventListener("beforeprint", draw);
  addEventListener("afterprint", draw);
})();
