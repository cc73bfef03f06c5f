"use strict";
/* The words of both pages in two languages, and small helpers. */
const WORDS = {
  vi: {
    language: "English", title: "Trò chuyện với cửa hàng", agentTitle: "Hỗ trợ khách hàng", write: "Tin nhắn của bạn",
    send: "Gửi", delete: "Xóa dữ liệu của tôi", sure: "Xóa toàn bộ cuộc trò chuyện này?",
    deleted: (r) => `Đã xóa ${r.messages} tin nhắn và ${r.tickets} yêu cầu hỗ trợ.`,
    customer: "Bạn", shop: "Trợ lý tự động", agent: "Nhân viên", waiting: "Đang trả lời…",
    person: "Nhân viên đang hỗ trợ bạn.", handed: "Đã chuyển cho nhân viên.", again: "Bắt đầu lại",
    failed: (s) => `Chưa gửi được (${s}). Nội dung vẫn còn trong ô, vui lòng gửi lại.`,
    token: "Mã truy cập của nhân viên", enter: "Đăng nhập", queue: "Yêu cầu chờ", none: "Không có yêu cầu nào đang chờ.",
    take: "Nhận xử lý", close: "Đóng yêu cầu", answer: "Trả lời khách", facts: "Thông tin đã dùng",
    conversation: "Cuộc trò chuyện", dashboard: "Số liệu", refresh: "Tải lại", customerSaid: "Khách",
    choose: "Chọn một yêu cầu trong danh sách.", taken: (a) => `${a} đang xử lý`, open: "đang chờ", wrong: "Mã không đúng.",
    price: "Giá một giờ máy (₫)", empty: "Chưa có số liệu.", leave: "Đăng xuất", lost: (s) => `Không tải được (${s}).`,
    skip: "Đến ô nhập tin nhắn", notDeleted: (s) => `Chưa xóa được dữ liệu (${s}). Vui lòng thử lại.`, notDone: (s) => `Chưa thực hiện được (${s}).`, gone: "Khách đã xóa cuộc trò chuyện này.", log: "Các tin nhắn",
    reasons: { complaint: "khiếu nại", human: "gặp nhân viên", privacy: "thông tin cá nhân", not_received: "chưa nhận hàng", delivery_delay: "giao chậm", refund: "hoàn tiền", payment: "thanh toán", vat_invoice: "hóa đơn", warranty: "bảo hành", cancel: "hủy đơn", address_change: "đổi địa chỉ", "no model": "trợ lý tự động không hoạt động" },
  },
  en: {
    language: "Tiếng Việt", title: "Chat with the shop", agentTitle: "Help desk", write: "Your message",
    send: "Send", delete: "Delete my data", sure: "Delete this whole conversation?",
    deleted: (r) => `Deleted: ${r.messages} messages and ${r.tickets} requests for help.`,
    customer: "You", shop: "Automatic assistant", agent: "A person", waiting: "Answering…",
    person: "A person has this conversation now.", handed: "Passed on to a person.", again: "Start anew",
    failed: (s) => `Not sent (${s}). Your words are still in the box; please send again.`,
    token: "Agent's token", enter: "Enter", queue: "Waiting", none: "Nobody is waiting.",
    take: "Take over", close: "Close", answer: "Answer the customer", facts: "Facts used",
    conversation: "Conversation", dashboard: "Figures", refresh: "Load again", customerSaid: "Customer",
    choose: "Choose somebody from the queue.", taken: (a) => `${a} has it`, open: "waiting", wrong: "Not a valid token.",
    price: "Price of an hour of computing (₫)", empty: "No figures yet.", leave: "Leave",
    lost: (s) => `Could not be loaded (${s}).`, skip: "To the message box", notDeleted: (s) => `Your data are not deleted (${s}). Please try again.`, notDone: (s) => `Not done (${s}).`, gone: "The customer has deleted this conversation.", log: "Messages",
    reasons: { complaint: "complaint", human: "wants a person", privacy: "personal data", not_received: "not received", delivery_delay: "late delivery", refund: "refund", payment: "payment", vat_invoice: "invoice", warranty: "warranty", cancel: "cancel", address_change: "new address", "no model": "the assistant does not work" },
  },
};
let language = "vi";
const $ = (id) => document.getElementById(id);
const word = (name, ...given) => {
  const found = WORDS[language][name];
  return typeof found === "function" ? found(...given) : found;
};
function speak(pageTitle) {
  document.documentElement.lang = language;
  document.title = word(pageTitle);
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = word(place.dataset.word);
  for (const place of document.querySelectorAll("[data-label]")) place.setAttribute("aria-label", word(place.dataset.label));
}
function bubble(message, names) {
  const item = document.createElement("li");
  item.className = message.role;
  item.dataset.id = message.id;
  const who = document.createElement("span");
  who.className = "who";
  who.textContent = names[message.role];
  const text = document.createElement("span");
  text.lang = "vi";
  text.textContent = message.text;
  item.append(who, text);
  return item;
}
async function call(method, path, headers, body) {
  const response = await fetch(path, {
    method, headers: { "Content-Type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) {
    const told = await response.json().catch(() => ({}));
    const error = new Error(typeof told.detail === "string" ? told.detail : `${response.status}`);
    error.status = response.status;
    throw error;
  }
  return response.json();
}
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
