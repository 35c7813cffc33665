// A write for which a second person may be asked: what waits for them; and once they agreed, the same call again.

function waits(envelope, beside, told) {
  const again = el("button", { class: "sure", click: look }, "Try again");
  async function look() {
    again.disabled = true;
    again.textContent = "Looking …";
    const { envelope: now } = await host.call(beside.tool, host.given);
    if (now.success) host.tellModel(`${envelope.approval_id} was approved, and ${beside.tool} is done: the user repeated the call.`);
    if (now.error_code === "approval_required") waits(now, beside, "Nobody has decided it yet.");
    else decided(now, beside);
  }
  show(el("article", { class: "card" },
    el("h1", {}, "Waits for a second person"),
    el("p", {}, envelope.error),
    facts(["Id", envelope.approval_id], ["Until", envelope.expires_at && moment(envelope.expires_at, beside)], ["Tool", beside.tool]),
    host.canCall() && el("div", { class: "asks" }, again, el("span", { class: "quiet" }, "It is done once they approved it.")),
    told && el("p", { role: "status" }, told)));
  if (told) document.querySelector("button").focus();
}

function decided(envelope, beside) {
  if (!envelope.success) return showError(envelope);
  const what = envelope.dry_run ? "this is what would be done" : "done";
  show(el("p", { role: "status" }, `✓ ${beside.tool || "The call"}: ${what}.`));
}

host.onresult = (envelope, beside) => {
  if (envelope.error_code === "approval_required" && beside.tool) waits(envelope, beside, null);
  else decided(envelope, beside);
};

host.begin("approval");
