"use strict";
/* The customer's side: one conversation, kept for this tab. */
const STORED = "osai-session";
let session = sessionStorage.getItem(STORED);
let last = 0;
let unsent = null;
let sending = false;
let opening = null;
const names = () => ({ customer: word("customer"), shop: word("shop"), agent: word("agent") });
const own = () => ({ "X-Session": session });

function show(message) {
  if (!message || message.id <= last) return;
  last = message.id;
  $("log").append(bubble(message, names()));
  $("log").lastElementChild.scrollIntoView({ block: "nearest" });
}
function begin() {
  opening = opening || call("POST", "api/conversations", {}).then((opened) => {
    session = opened.session;
    sessionStorage.setItem(STORED, session);
    $("log").replaceChildren(bubble({ id: 0, role: "shop", text: opened.greeting }, names()));
    last = 0;
  }).finally(() => { opening = null; });
  return opening;
}
function forget() {
  session = null;
  sessionStorage.removeItem(STORED);
  last = 0;
}
function tellWhoAnswers(withPerson, lastMessage) {
  if (sending) return;
  $("state").textContent = withPerson ? word("person")
    : lastMessage && lastMessage.handoff ? word("handed")
    : lastMessage && lastMessage.role === "customer" ? word("waiting") : "";
}
let lastSeen = null;
async function look() {
  if (!session || document.hidden) return;
  const asked = session;
  try {
    const found = await call("GET", `api/messages?after=${last}`, own());
    if (session !== asked) return;
    found.messages.forEach(show);
    lastSeen = found.messages.at(-1) || lastSeen;
    tellWhoAnswers(found.with_person, lastSeen);
  } catch (error) {
    if (error.status === 401 && session === asked) forget();
  }
}
async function send(event) {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text || sending) return;
  if (!unsent || unsent.text !== text) unsent = { text, key: newKey() };
  sending = true;
  $("send").disabled = true;
  $("state").textContent = word("waiting");
  try {
    if (!session) await begin();
    const heard = await call("POST", "api/messages", own(), unsent);
    unsent = null;
    if ($("text").value.trim() === text) $("text").value = "";
    sending = false;
    await look();
    show(heard.message);
    show(heard.reply);
    lastSeen = heard.reply || heard.message;
    tellWhoAnswers(heard.with_person, lastSeen);
  } catch (error) {
    if (error.status === 401) forget();
    $("state").textContent = word("failed", error.message);
  }
  sending = false;
  $("send").disabled = false;
  $("text").focus();
}
async function remove() {
  if (!session || !window.confirm(word("sure"))) return;
  try {
    const gone = await call("DELETE", "api/conversation", own());
    forget();
    lastSeen = null;
    $("log").replaceChildren();
    $("state").textContent = word("deleted", gone);
  } catch (error) {
    $("state").textContent = word("notDeleted", error.message);
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
