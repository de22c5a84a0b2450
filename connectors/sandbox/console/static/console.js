"use strict";
// The page works by parts: the server renders each, this swaps it in. Nothing is fetched from elsewhere.
const $ = (query, root = document) => root.querySelector(query);
const $$ = (query, root = document) => [...root.querySelectorAll(query)];
const filter = $("#filter");
const state = new URLSearchParams(location.hash.slice(1));

function say(text, bad = false) {
  const said = $("#said");
  said.textContent = text;
  said.className = bad ? "bad" : "";
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { said.textContent = ""; }, bad ? 8000 : 2500);
}

function remember() {
  history.replaceState(null, "", "#" + state);
}

function filters() {
  const given = new URLSearchParams(new FormData(filter));
  for (const [name, value] of [...given]) if (!value) given.delete(name);
  return given;
}

async function refresh(name, into) {
  const given = name === "tickets" ? filters() : name === "ticket" ? new URLSearchParams({ id: state.get("ticket") }) : "";
  const answer = await fetch(`/part/${name}?${given}`);
  if (!answer.ok) return;
  const html = await answer.text();
  if (into.dataset.html === html) return;
  const open = $$("details[open][data-key]", into).map((d) => d.dataset.key);
  into.innerHTML = html;
  into.dataset.html = html;
  for (const key of open) $(`details[data-key="${key}"]`, into)?.setAttribute("open", "");
  mark();
}

function busy(part) {
  // Never pull a part away from under somebody who is writing or choosing in it.
  const at = document.activeElement;
  if (!part.contains(at)) return false;
  if (at.matches("textarea, select")) return true;
  return at.matches("input") && at.value !== at.defaultValue || at.matches("textarea");
}

async function refreshAll(force = false) {
  const tab = state.get("tab") || "tickets";
  const wanted = [["clock", $("#clock")], [tab, $(`[data-part="${tab}"]`)]];
  if (tab === "tickets" && state.get("ticket")) wanted.push(["ticket", $("#detail")]);
  const free = wanted.filter(([, part]) => force || !(busy(part) || $$("textarea", part).some((t) => t.value)));
  await Promise.all(free.map(([name, part]) => refresh(name, part)));
}

function mark() {
  for (const row of $$("[data-ticket]")) row.classList.toggle("chosen", row.dataset.ticket === state.get("ticket"));
}

function show() {
  const tab = state.get("tab") || "tickets";
  for (const button of $$("[data-tab]")) button.setAttribute("aria-selected", button.dataset.tab === tab);
  for (const section of $$("main > section")) section.hidden = section.id !== `tab-${tab}`;
  document.body.classList.toggle("reading", tab === "tickets" && state.has("ticket"));
  remember();
  mark();
  refreshAll(true);
}

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const given = await answer.json().catch(() => ({}));
  say(answer.ok ? "done" : given.error || `refused (${answer.status})`, !answer.ok);
  await refreshAll(true);
  return answer.ok ? given : null;
}

function choose(row) {
  state.set("ticket", row.dataset.ticket);
  state.set("tab", "tickets");
  show();
  $("#detail").scrollTop = 0;
}

document.addEventListener("click", (event) => {
  const at = event.target.closest("[data-tab], [data-clock], [data-ticket], button[data-people]");
  if (!at) return;
  if (at.matches("a")) event.preventDefault();
  if (at.dataset.tab) { state.set("tab", at.dataset.tab); show(); }
  else if (at.dataset.clock) post("/clock", JSON.parse(at.dataset.clock));
  else if (at.dataset.ticket) choose(at);
  else post(`/people/${at.dataset.people}`, JSON.parse(at.dataset.body));
});

document.addEventListener("toggle", async (event) => {
  const body = event.target.open && $("[data-exchange]", event.target);
  if (!body) return;
  const answer = await fetch(`/part/exchange?seq=${body.dataset.exchange}`);
  body.innerHTML = answer.ok ? await answer.text() : "no longer kept";
}, true);

document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.("[data-ticket]");
  if (!row) return;
  if (event.key === "Enter") choose(row);
  const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
  if (next) { event.preventDefault(); next.focus(); }
});

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  if (form === filter) { refreshAll(true); return; }
  if (form.matches("[data-set]")) { await post("/clock", { set: form.elements.set.value.trim() }); return; }
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.value === "") continue;
    const [outer, inner] = field.name.split(/\.(.*)/s);
    const value = field.dataset.type ? JSON.parse(field.value) : field.value;
    if (inner) (body[outer] ??= {})[inner] = value; else body[outer] = value;
  }
  const result = await post(`/people/${form.dataset.people}`, body);
  if (!result) return;
  form.reset();
  form.closest("dialog")?.close();
  if (form.dataset.people === "file") state.set("ticket", result.result);
  show();
});

$("#new")?.addEventListener("click", () => $("#file").showModal());
$("[data-close]").addEventListener("click", () => $("#file").close());
filter.addEventListener("input", () => { clearTimeout(filter.timer); filter.timer = setTimeout(() => refreshAll(true), 150); });
setInterval(() => { if (!document.hidden) refreshAll(); }, 2000);
show();
