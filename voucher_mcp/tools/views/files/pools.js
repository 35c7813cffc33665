// Pools beside each other: how much is left, when it runs out, what expires.
// The list of pools and their health are two tools; what the call that is shown did not tell, the other is asked.

const pools = new Map();
let more = false;

function whole(pool) {
  if (typeof pool.total === "number") return pool.total;
  return ["available", "assigned", "redeemed"].reduce((sum, name) => sum + (pool[name] || 0), 0);
}

function barOf(pool) {
  const total = whole(pool);
  if (typeof pool.available !== "number") return el("p", { class: "quiet" }, "The system does not say how many codes are left.");
  const known = [["free", "available", pool.available], ["held", "assigned", pool.assigned], ["used", "redeemed", pool.redeemed]]
    .filter(([, , count]) => typeof count === "number");
  let at = 0;
  const parts = known.map(([kind, , count]) => {
    const width = total ? (100 * count) / total : 0;
    const part = svg("rect", { class: kind, x: at, width, height: 1 });
    at += width;
    return part;
  });
  const label = known.map(([, word, count]) => `${counted(count, "code")} ${word}`).join(", ");
  return [
    svg("svg", { class: "bar", viewBox: "0 0 100 1", preserveAspectRatio: "none", role: "img", "aria-label": `${label} of ${total}` }, parts),
    el("p", { class: "legend" }, known.map(([kind, word, count]) =>
      el("span", {}, el("span", { class: `key ${kind}` }), `${count.toLocaleString("en")} ${word}`))),
  ];
}

function runOut({ runs_out: end, used_per_day: use }) {
  if (end === undefined) return null;
  if (!end) return use === 0 ? "Nothing was used lately" : null;
  return `About ${end.date} (between ${end.earliest} and ${end.latest || "later than a year from now"})`;
}

function expiring({ expiring: ends }) {
  if (!ends || !ends.length) return null;
  const shown = ends.slice(0, 5).map(({ date, codes }) => `${date}: ${counted(codes, "code")}`);
  return el("ul", {}, [...shown, ...(ends.length > 5 ? [`and on ${ends.length - 5} later days`] : [])].map((line) => el("li", {}, line)));
}

function cardOf(pool, beside) {
  const perDay = typeof pool.used_per_day === "number" ? pool.used_per_day.toLocaleString("en", { maximumFractionDigits: 1 }) : null;
  return el("li", { class: "card" },
    el("div", { class: "row" },
      el("h2", {}, pool.name || pool.id),
      pool.active === false && el("span", { class: "badge" }, "‖ Paused")),
    barOf(pool),
    facts(
      ["Used a day", perDay],
      ["Runs out", runOut(pool)],
      ["Expires", expiring(pool) || (pool.expiration_date && moment(pool.expiration_date, beside))],
      ["Outstanding", typeof pool.outstanding === "number" ? money(pool.outstanding, beside) : null],
    ),
    (pool.warnings || []).map(({ text }) => el("p", { class: "warn" }, `⚠ ${text}`)));
}

function draw(beside) {
  const all = [...pools.values()];
  show(
    el("h1", {}, all.length === 1 ? "Pool" : counted(all.length, "pool")),
    all.length ? el("ul", {}, all.map((pool) => cardOf(pool, beside))) : el("p", { class: "quiet" }, "There is no pool yet."),
    more && el("p", { class: "quiet" }, "There are more pools than these."),
  );
}

function take(envelope) {
  for (const pool of envelope.data) pools.set(pool.id, { ...pools.get(pool.id), ...pool });
}

// What the other tool says of the pools that are shown already.
async function complete(beside) {
  const hasHealth = [...pools.values()].some((pool) => "runs_out" in pool);
  const other = hasHealth ? "list_voucher_pools" : "get_pool_health";
  const { envelope } = await host.call(other, { project_id: beside.project_id });
  if (!envelope.success) return;
  take({ data: envelope.data.filter((pool) => pools.has(pool.id)) });
  draw(beside);
}

host.onresult = (envelope, beside) => {
  if (!envelope.success) return showError(envelope);
  pools.clear();
  more = Boolean(envelope.has_more);
  take(envelope);
  draw(beside);
  if (pools.size && beside.project_id && (beside.others || []).length && host.canCall()) complete(beside);
};

host.begin("pools");
