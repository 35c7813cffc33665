// What all views share: speaking to the host of the chat as MCP Apps (2026-01-26) has it, and showing values.
// Whatever comes from outside is set as text.

const host = {
  abilities: {}, // what the host can do for the view
  given: {}, // the arguments of the call that is shown
  onresult() {}, // of each view: shows an envelope, with what the server adds for views
};

let lastId = 0;
const waiting = new Map();

function send(message) {
  window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
}

host.request = (method, params) =>
  new Promise((resolve, reject) => {
    waiting.set(++lastId, { resolve, reject });
    send({ id: lastId, method, params });
  });

// The envelope of a tool's answer, whichever form the host passes on, and what is there for views alone.
function unpacked(result) {
  let envelope = result.structuredContent;
  if (!envelope) {
    const first = (result.content || []).find((block) => block.type === "text");
    try {
      envelope = JSON.parse(first.text);
    } catch {
      envelope = { success: false, data: null, error: first ? first.text : "There is no answer." };
    }
  }
  return { envelope, beside: (result._meta || {})["voucher-mcp/view"] || {} };
}

// Call a tool of the server. What the user is asked on the way, the host asks.
host.call = async (name, given) => {
  try {
    return unpacked(await host.request("tools/call", { name, arguments: given }));
  } catch (error) {
    return { envelope: { success: false, data: null, error: error.message }, beside: {} };
  }
};

host.canCall = () => Boolean(host.abilities.serverTools);

// What the model should know of what the user did here, if the host passes it on.
host.tellModel = (text) => {
  if (host.abilities.updateModelContext) {
    host.request("ui/update-model-context", { content: [{ type: "text", text }] }).catch(() => {});
  }
};

function setContext(context) {
  if (context && (context.theme === "light" || context.theme === "dark")) {
    document.documentElement.dataset.theme = context.theme;
  }
}

const heard = {
  "ui/notifications/tool-input": (params) => { host.given = params.arguments || {}; },
  "ui/notifications/tool-result": (params) => { const { envelope, beside } = unpacked(params); host.onresult(envelope, beside); },
  "ui/notifications/tool-cancelled": () => show(el("p", { class: "quiet" }, "The call was cancelled.")),
  "ui/notifications/host-context-changed": setContext,
};
const answered = { ping: () => ({}), "ui/resource-teardown": () => ({}) };

window.addEventListener("message", ({ source, data }) => {
  if (source !== window.parent || !data || data.jsonrpc !== "2.0") return;
  if (data.method === undefined) {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (asked && data.error) asked.reject(new Error(String(data.error.message)));
    else if (asked) asked.resolve(data.result);
  } else if (data.id === undefined) {
    if (Object.hasOwn(heard, data.method)) heard[data.method](data.params || {});
  } else if (Object.hasOwn(answered, data.method)) {
    send({ id: data.id, result: answered[data.method]() });
  } else {
    send({ id: data.id, error: { code: -32601, message: "Method not found" } });
  }
});

// Called by each view once it can show what comes.
host.begin = async (name) => {
  const about = { appInfo: { name, version: "1" }, appCapabilities: {}, protocolVersion: "2026-01-26" };
  const met = await host.request("ui/initialize", about);
  host.abilities = met.hostCapabilities || {};
  setContext(met.hostContext);
  send({ method: "ui/notifications/initialized" });
  new ResizeObserver(() => {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    send({ method: "ui/notifications/size-changed", params: { height } });
  }).observe(document.documentElement);
};

// An element; children are elements or text, and what is null or false is left out.
function el(name, properties, ...children) {
  return filled(document.createElement(name), properties, children);
}

function svg(name, properties, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), properties, children);
}

function filled(element, properties, children) {
  for (const [key, value] of Object.entries(properties || {})) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function show(...children) {
  document.getElementById("view").replaceChildren(...children.flat(Infinity).filter(Boolean));
}

function showError(envelope) {
  show(el("p", { class: "warn", role: "alert" }, `⚠ ${envelope.error || "This did not work."}`));
}

// Terms and what they are; pairs without a value are left out.
function facts(...pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return known.length ? el("dl", {}, known.map(([term, value]) => [el("dt", {}, term), el("dd", {}, value)])) : null;
}

function counted(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

// Minor units as a person reads them, as everywhere in voucher-mcp: 123450 is 1,234.50 EUR.
function money(amount, beside) {
  if (!beside.currency) return `${amount.toLocaleString("en")} minor units`;
  const shown = new Intl.NumberFormat("en", {
    minimumFractionDigits: beside.digits, maximumFractionDigits: beside.digits,
  });
  return `${shown.format(amount / 10 ** beside.digits)} ${beside.currency}`;
}

// A moment (ISO 8601 or Unix seconds) in the project's time zone.
function moment(value, beside) {
  const date = new Date(typeof value === "number" ? value * 1000 : value);
  if (Number.isNaN(date.getTime())) return String(value);
  const zone = beside.timezone || "UTC";
  const shown = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: zone });
  return `${shown.format(date)}${zone === "UTC" ? " UTC" : ` (${zone})`}`;
}
