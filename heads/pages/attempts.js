// Two attempts beside each other: the new one leads, and the old one follows on the map between their times.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const BEFORE_END = 0.001, FAR = 0.4, AHEAD = 0.2, SLOWEST = 0.07, FASTEST = 8; // seconds, and shares of real time
  const sides = data.sides.map((facts) => ({
    ...facts,
    now: 0,
    playable: false,
    video: find(`${facts.side}-video`),
    timeline: find(`${facts.side}-timeline`),
    playhead: find(`${facts.side}-playhead`),
  }));
  const [here, there] = sides;
  const start = data.here.length === 1 ? data.there[0] - data.here[0] : null;
  let linked = true, shift = start, active = here, playing = false, speed = 1;

  const clamp = (side, seconds) => Math.min(Math.max(seconds, 0), side.duration);
  const other = (side) => (side === here ? there : here);
  const clock = (seconds) => {
    const tenths = Math.floor(Math.round(seconds * 1e6) / 1e5);
    return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
  };

  // The value of the line through the points at x; beyond its ends both times run equally fast.
  function along(x, xs, ys) {
    const last = xs.length - 1;
    if (x <= xs[0]) return ys[0] + x - xs[0];
    if (x >= xs[last]) return ys[last] + x - xs[last];
    const next = xs.findIndex((each) => each > x);
    return ys[next - 1] + ((x - xs[next - 1]) / (xs[next] - xs[next - 1])) * (ys[next] - ys[next - 1]);
  }
  const partner = (side, seconds) => {
    if (shift !== null) return seconds + (side === here ? shift : -shift);
    return side === here ? along(seconds, data.here, data.there) : along(seconds, data.there, data.here);
  };

  function show(side, seconds) {
    side.now = clamp(side, seconds);
    side.playhead.style.left = `${(100 * side.now) / side.duration}%`;
    side.timeline.setAttribute("aria-valuenow", side.now.toFixed(2));
    side.timeline.setAttribute("aria-valuetext", clock(side.now));
  }

  function seek(side, seconds) {
    show(side, seconds);
    if (side.playable) side.video.currentTime = side.offset + Math.min(side.now, side.duration - BEFORE_END);
  }

  function jump(side, seconds) {
    active = side;
    seek(side, seconds);
    if (linked) seek(other(side), partner(side, side.now));
  }

  const shownTime = (side) => (side.playable && !side.video.seeking ? side.video.currentTime - side.offset : side.now);

  // The follower runs as fast as the map is steep, and a little faster or slower to make up what it is off.
  function chase(side, leader) {
    if (!side.playable || side.video.seeking) return;
    const target = partner(leader, leader.now), bounded = clamp(side, target), off = bounded - side.now;
    if (Math.abs(off) > FAR) seek(side, bounded);
    const steep = (partner(leader, leader.now + AHEAD) - target) / AHEAD;
    const rate = bounded === target ? speed * steep + 2 * off : 0;
    if (rate < SLOWEST) return side.video.pause();
    side.video.playbackRate = Math.min(rate, FASTEST);
    if (side.video.paused) side.video.play().catch(() => {});
  }

  function follow() {
    if (!playing) return;
    const leader = linked && here.playable ? here : active;
    for (const side of sides) show(side, shownTime(side));
    if (linked) chase(other(leader), leader);
    if (leader.video.ended || leader.now >= leader.duration - 0.02) return pause();
    requestAnimationFrame(follow);
  }

  function play() {
    const leader = linked && here.playable ? here : active;
    if (!leader.playable) return;
    if (leader.now >= leader.duration - 0.05) jump(leader, 0);
    playing = true;
    leader.video.playbackRate = speed;
    leader.video.play().catch(pause);
    find("play").textContent = "Pause";
    find("play").setAttribute("aria-pressed", "true");
    requestAnimationFrame(follow);
  }

  function pause() {
    playing = false;
    for (const side of sides) if (side.playable) side.video.pause();
    for (const side of sides) show(side, shownTime(side));
    if (linked) jump(active === there && !here.playable ? there : here, here.playable ? here.now : there.now);
    find("play").textContent = "Play";
    find("play").setAttribute("aria-pressed", "false");
  }

  const toggle = () => (playing ? pause() : play());

  // The middle of a frame is safe from the rounding of players.
  function stepFrame(direction) {
    if (playing) pause();
    jump(active, (Math.floor(active.now / active.frame + 0.01) + direction + 0.5) * active.frame);
  }

  function tell() {
    find("link").textContent = `Linked: ${linked ? "on" : "off"}`;
    find("link").setAttribute("aria-pressed", String(linked));
    const by = shift === null || (start !== null && shift === start) ? data.alignment : shift === 0
      ? "both from their start" : `by hand, 0:00.0 with ${shift < 0 ? "-" : ""}${clock(Math.abs(shift))}`;
    find("alignment").textContent = linked ? `Alignment: ${by}` : "Each video moves alone: show the same moment in both, then press Align here.";
  }

  function align(to) {
    if (playing) pause();
    shift = to;
    linked = true;
    jump(here, here.now);
    tell();
  }

  for (const side of sides) {
    const place = (event) => {
      const area = side.timeline.getBoundingClientRect();
      return (side.duration * (event.clientX - area.left)) / area.width;
    };
    side.timeline.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      side.timeline.setPointerCapture(event.pointerId);
      jump(side, place(event));
    });
    side.timeline.addEventListener("pointermove", (event) => {
      if (side.timeline.hasPointerCapture(event.pointerId)) jump(side, place(event));
    });
    side.timeline.addEventListener("keydown", (event) => {
      const moves = {
        ArrowLeft: () => jump(side, side.now - (event.shiftKey ? 5 : 1)),
        ArrowRight: () => jump(side, side.now + (event.shiftKey ? 5 : 1)),
        Home: () => jump(side, 0),
        End: () => jump(side, side.duration),
        ",": () => { active = side; stepFrame(-1); },
        ".": () => { active = side; stepFrame(1); },
        " ": toggle,
        Enter: toggle,
      };
      if (!moves[event.key]) return;
      event.preventDefault();
      moves[event.key]();
    });
    if (!side.video) continue;
    const ready = () => {
      if (side.playable) return;
      side.playable = true;
      seek(side, side === there && linked ? partner(here, here.now) : side.now);
    };
    side.video.addEventListener("loadedmetadata", ready);
    side.video.addEventListener("error", () => {
      side.playable = false;
      find(`${side.side}-note`).hidden = false;
      find(`${side.side}-player`).hidden = true;
    });
    side.video.addEventListener("click", () => { active = side; toggle(); });
    if (side.video.readyState >= 1) ready();
    if (side.video.error) side.video.dispatchEvent(new Event("error"));
  }

  find("play").addEventListener("click", toggle);
  find("previous-frame").addEventListener("click", () => stepFrame(-1));
  find("next-frame").addEventListener("click", () => stepFrame(1));
  find("speed").addEventListener("change", (event) => {
    speed = Number(event.target.value);
    if (playing) (linked && here.playable ? here : active).video.playbackRate = speed;
  });
  find("link").addEventListener("click", () => {
    if (playing) pause();
    linked = !linked;
    if (linked) jump(here, here.now);
    tell();
  });
  find("align-here").addEventListener("click", () => align(there.now - here.now));
  find("align-start").addEventListener("click", () => align(0));
  find("align-automatic").hidden = start !== null; // there is none
  find("align-automatic").addEventListener("click", () => align(start));
  tell();
})();
