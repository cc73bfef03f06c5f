"use strict";
/* The customer's side: one conversation, kept for this tab. */
const STORED = "osai-session";
let session = sessionStorage.getItem(STORED);
let last = 0;
let unsent = null;
const names = () => ({ customer: word("customer"), shop: word("shop"), agent: word("agent") });
const own = () => ({ "X-Session": session });

function show(message) {
  if (!message || message.id <= last) return;
  last = message.id;
  $("log").append(bubble(message, names()));
  $("log").lastElementChild.scrollIntoView({ block: "nearest" });
}
async function begin() {
  const opened = await call("POST", "api/conversations", {});
  session = opened.session;
  sessionStorage.setItem(STORED, session);
  $("log").replaceChildren(bubble({ id: 0, role: "shop", text: opened.greeting }, names()));
  last = 0;
}
async function look() {
  if (!session || document.hidden) return;
  try {
    const found = await call("GET", `api/messages?after=${last}`, own());
    found.messages.forEach(show);
    if (found.messages.length || found.with_person) $("state").textContent = found.with_person ? word("person") : "";
  } catch (error) {
    if (error.status === 401) { session = null; sessionStorage.removeItem(STORED); }
  }
}
async function send(event) {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  if (!unsent || unsent.text !== text) unsent = { text, key: newKey() };
  $("send").disabled = true;
  $("state").textContent = word("waiting");
  try {
    if (!session) await begin();
    const heard = await call("POST", "api/messages", own(), unsent);
    unsent = null;
    $("text").value = "";
    await look();
    show(heard.message);
    show(heard.reply);
    $("state").textContent = heard.with_person ? word("person")
      : heard.reply && heard.reply.handoff ? word("handed") : heard.waiting ? word("waiting") : "";
  } catch (error) {
    if (error.status === 401) { session = null; sessionStorage.removeItem(STORED); }
    $("state").textContent = word("failed", error.message);
  }
  $("send").disabled = false;
  $("text").focus();
}
async function remove() {
  if (!session || !window.confirm(word("sure"))) return;
  try {
    const gone = await call("DELETE", "api/conversation", own());
    session = null;
    sessionStorage.removeItem(STORED);
    $("log").replaceChildren();
    last = 0;
    $("state").textContent = word("deleted", gone);
  } catch (error) {
    $("state").textContent = word("lost", error.message);
  }
}
$("form").addEventListener("submit", send);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("form").requestSubmit(); }
});
$("delete").addEventListener("click", remove);
$("language").addEventListener("click", () => { language = language === "vi" ? "en" : "vi"; speak("title"); });
speak("title");
(session ? look() : begin()).catch((error) => { $("state").textContent = word("lost", error.message); });
setInterval(look, 3000);
