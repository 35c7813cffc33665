// What was written, newest first; what can be taken back has a button, which calls the tool through the host.

const KINDS = ["voucher", "pool", "redemption", "job"];
const UNITS = new Set(["balance", "from", "to"]); // of a card, in minor units or points: the journal does not say which

function subjectOf(subject) {
  if (!subject) return null;
  const named = KINDS.filter((kind) => subject[kind]).map((kind) => `${kind} ${subject[kind]}`).join(", ");
  return el("p", {}, subject.count > 1 ? `${named} (${subject.count.toLocaleString("en")} in all)` : named);
}

function shownValue(value) {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function fieldsOf(change, beside) {
  const before = change.before || {}, after = change.after || {};
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const pairs = names.map((name) => [
    UNITS.has(name) ? `${name} (minor units or points)` : name,
    `${shownValue(before[name])} → ${shownValue(after[name])}`,
  ]);
  if (!names.length && typeof change.amount === "number") pairs.push(["Amount", money(change.amount, beside)]);
  return facts(...pairs);
}

// The button, then the question, then what came of it, all in one place that keeps the focus.
function undoing(change, again, beside) {
  const place = el("div", { class: "asks" });
  const label = `${change.tool} ${change.id}`;
  const offer = (focus) => {
    const button = el("button", { click: ask, "aria-label": `Take back ${label}` }, "Take back …");
    place.replaceChildren(button);
    if (focus) button.focus();
  };
  const ask = () => {
    const yes = el("button", { class: "sure", click: act, "aria-label": `Yes, take back ${label}` }, "Yes, take it back");
    place.replaceChildren(el("span", {}, "Take this back?"), yes, el("button", { click: () => offer(true) }, "Keep it"));
    yes.focus();
  };
  const act = async () => {
    place.replaceChildren(el("span", { class: "quiet", role: "status" }, "Taking it back …"));
    // one change is taken back once: pressed twice, the first answer comes again
    const given = { project_id: beside.project_id, change_id: change.id, idempotency_key: `view-${change.id}` };
    const { envelope } = await host.call("undo_change", given);
    if (envelope.success) {
      host.tellModel(`The user took the change ${change.id} (${change.tool}) back with undo_change.`);
      await again(`✓ ${label} was taken back.`);
    } else {
      place.replaceChildren(el("span", { class: "warn", role: "alert" }, `⚠ ${envelope.error}`));
    }
  };
  offer(false);
  return place;
}

function cardOf(change, again, beside) {
  let end = el("p", { class: "quiet" }, change.undo);
  if (change.undo === "done") end = el("p", {}, el("span", { class: "badge" }, "↶ Taken back"));
  if (change.undo === "possible") end = host.canCall() && beside.can_undo ? undoing(change, again, beside) : null;
  return el("li", { class: "card" },
    el("div", { class: "row" }, el("h2", {}, change.tool), el("time", { datetime: change.time }, moment(change.time, beside))),
    subjectOf(change.subject),
    el("p", { class: "quiet" }, `by ${change.caller}`, change.client && ` with ${change.client}`,
      change.outcome !== "success" && ` · ${change.outcome}`),
    fieldsOf(change, beside), end);
}

function draw(envelope, beside, told) {
  if (!envelope.success) return showError(envelope);
  const again = async (text) => {
    const { envelope: now } = await host.call("list_changes", { ...host.given, project_id: beside.project_id });
    draw(now, beside, text);
    const said = document.querySelector("[role=status]");
    if (said) said.focus();
  };
  show(
    el("h1", {}, "Changes"),
    told && el("p", { role: "status", tabindex: "-1" }, told),
    envelope.data.length
      ? el("ol", {}, envelope.data.map((change) => cardOf(change, again, beside)))
      : el("p", { class: "quiet" }, "Nothing was written here yet."),
    envelope.has_more && el("p", { class: "quiet" }, "There are older changes than these."),
  );
}

host.onresult = (envelope, beside) => draw(envelope, beside, null);

host.begin("changes");
