"use strict";
/* The agent's side: the queue, one conversation, figures. The token stays in this tab. */
const STORED = "osai-token";
let token = sessionStorage.getItem(STORED);
let me = "";
let chosen = null;
let last = 0;
let unsent = null;
const names = () => ({ customer: word("customerSaid"), shop: word("shop"), agent: word("agent") });
const own = () => ({ Authorization: `Bearer ${token}` });
const tell = (text) => { $("state").textContent = text; };

function leave(text) {
  token = null;
  sessionStorage.removeItem(STORED);
  for (const id of ["desk", "dashboard", "figures", "leave"]) $(id).hidden = true;
  $("enter").hidden = false;
  nobody(text || "");
  $("token").focus();
}
async function look() {
  if (!token || document.hidden) return;
  try {
    const found = await call("GET", "api/agent/tickets", own());
    me = found.agent;
    if (!$("enter").hidden) { $("enter").hidden = true; $("desk").hidden = false; $("queue-title").focus(); }
    $("figures").hidden = $("leave").hidden = false;
    if ($("dashboard").hidden) $("desk").hidden = false;
    $("none").hidden = found.tickets.length > 0;
    drawQueue(found.tickets);
    if (chosen) await open(chosen);
  } catch (error) {
    if (error.status === 401) leave(word("wrong")); else tell(word("lost", error.message));
  }
}
function drawQueue(tickets) {
  const drawn = JSON.stringify([tickets, chosen, language]);
  if ($("queue").dataset.drawn === drawn) return;
  $("queue").dataset.drawn = drawn;
  const focused = document.activeElement && document.activeElement.dataset.ticket;
  $("queue").replaceChildren(...tickets.map((ticket) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    const state = ticket.state === "open" ? word("open") : word("taken", ticket.agent);
    button.type = "button";
    button.dataset.ticket = ticket.id;
    const reason = word("reasons")[ticket.reason] || ticket.reason;
    button.textContent = `${ticket.id} · ${reason} · ${state} — ${ticket.asked.slice(0, 80)}`;
    button.setAttribute("aria-current", ticket.id === chosen);
    button.addEventListener("click", () => choose(ticket.id));
    item.append(button);
    return item;
  }));
  if (focused) { const again = $("queue").querySelector(`[data-ticket="${focused}"]`); if (again) again.focus(); }
}
function nobody(text) {
  chosen = null;
  last = 0;
  $("log").replaceChildren();
  $("facts").replaceChildren();
  $("one").hidden = true;
  $("choose").hidden = false;
  tell(text);
}
async function choose(id) {
  chosen = id;
  last = 0;
  unsent = null;
  $("text").value = "";
  $("log").replaceChildren();
  await open(id);
  $("ticket-title").scrollIntoView({ block: "nearest" });
  $("ticket-title").focus();
  await look();
}
async function open(id) {
  let ticket;
  try {
    ticket = await call("GET", `api/agent/tickets/${id}`, own());
  } catch (error) {
    if (chosen === id && error.status === 404) nobody(word("gone")); else if (chosen === id) tell(word("lost", error.message));
    return;
  }
  if (chosen !== id) return;
  $("choose").hidden = true;
  $("one").hidden = false;
  for (const message of ticket.messages) {
    if (message.id > last) { $("log").append(bubble(message, names())); last = message.id; }
  }
  $("facts").replaceChildren(...ticket.facts.map((fact) => {
    const item = document.createElement("li");
    item.lang = "vi";
    item.textContent = fact;
    return item;
  }));
  const mine = ticket.state === "taken" && ticket.agent === me;
  $("take").disabled = ticket.state !== "open";
  $("close").disabled = !mine;
  $("form").hidden = !mine;
}
async function act(what, body) {
  try {
    const done = await call("POST", `api/agent/tickets/${chosen}/${what}`, own(), body);
    tell("");
    await look();
    return done;
  } catch (error) {
    tell(word(what === "answer" ? "failed" : "notDone", error.message));
    return null;
  }
}
async function draw() {
  $("desk").hidden = !($("dashboard").hidden = false);
  try {
    if (!window.Plotly) {
      await new Promise((done, failed) => {
        const script = document.createElement("script");
        script.src = "static/plotly.min.js";
        script.onload = done;
        script.onerror = () => failed(new Error("plotly"));
        document.head.append(script);
      });
    }
    const price = Number($("price").value) || 0;
    const found = await call("GET", `api/agent/dashboard?price=${price}`, own());
    $("drawn").replaceChildren();
    if (!found.figures.length) $("drawn").textContent = word("empty");
    for (const one of found.figures) {
      const place = document.createElement("div");
      place.className = "figure";
      place.setAttribute("role", "img");
      place.setAttribute("aria-label", one.alt);
      const words = document.createElement("p");
      words.textContent = one.alt;
      $("drawn").append(place, words);
      await window.Plotly.newPlot(place, one.figure.data, one.figure.layout, { responsive: true, displayModeBar: false });
    }
  } catch (error) {
    tell(word("lost", error.message));
  }
}
$("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  sessionStorage.setItem(STORED, token);
  $("token").value = "";
  tell("");
  look();
});
$("take").addEventListener("click", () => act("take").then(() => $("text").focus()));
$("close").addEventListener("click", async () => {
  if (await act("close", { seen: last })) { nobody(""); $("queue-title").focus(); look(); }
});
$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  if (!unsent || unsent.text !== text) unsent = { text, key: newKey() };
  if (await act("answer", unsent)) { unsent = null; $("text").value = ""; }
  $("text").focus();
});
$("figures").addEventListener("click", () => {
  if ($("dashboard").hidden) draw(); else { $("dashboard").hidden = true; $("desk").hidden = false; }
});
$("again").addEventListener("submit", (event) => { event.preventDefault(); draw(); });
$("leave").addEventListener("click", () => leave());
$("language").addEventListener("click", () => { language = language === "vi" ? "en" : "vi"; speak("agentTitle"); look(); });
speak("agentTitle");
if (token) look();
setInterval(look, 3000);
