// A voucher as a card: what it is worth, how long, and its code to be scanned.

const STATUS = {
  ACTIVE: "✓ Can be used", USED: "■ Used up", DISABLED: "✕ Switched off", NOT_ACTIVE_YET: "◷ Not yet valid",
  EXPIRED: "✕ Expired", NO_BALANCE: "■ Nothing left",
};

function discountOf(discount, beside) {
  switch (discount.type) {
    case "PERCENT": return `${discount.percent_off} % off`;
    case "AMOUNT": return `${money(discount.amount_off, beside)} off`;
    case "FIXED": return `For ${money(discount.fixed_amount, beside)}`;
    case "UNIT": return `${discount.unit_off} free`;
    default: return "Discount";
  }
}

function worthOf(voucher, beside) {
  if (voucher.gift) return `${money(voucher.gift.balance ?? voucher.gift.amount, beside)} left`;
  if (voucher.loyalty_card) return counted(voucher.loyalty_card.balance ?? voucher.loyalty_card.points, "point");
  return voucher.discount ? discountOf(voucher.discount, beside) : null;
}

function usesOf({ quantity, redeemed_quantity: used }) {
  if (!used && !quantity) return "Not yet; as often as wanted";
  return quantity ? `${used || 0} of ${quantity}` : `${used}, as often as wanted`;
}

// One path of black modules on white; rows are texts of 0 and 1.
function picture(rows, width, height, label) {
  const runs = rows.flatMap((row, y) => [...row.matchAll(/1+/g)].map((run) => `M${run.index} ${y}h${run[0].length}v1h-${run[0].length}z`));
  const box = { viewBox: `0 0 ${rows[0].length} ${rows.length}`, width, height, preserveAspectRatio: "none" };
  return svg("svg", { ...box, class: "picture", role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
    svg("rect", { width: "100%", height: "100%", fill: "#ffffff" }), svg("path", { d: runs.join(""), fill: "#000000" }));
}

function picturesOf(pictures, code) {
  const { qr, code128 } = pictures || {};
  if (!qr && !code128) return null;
  const side = qr && qr[0].length * Math.max(3, Math.floor(200 / qr[0].length));
  const bars = code128 && picture([code128], code128.length, 64, `Barcode (Code 128) of ${code}`);
  if (bars) {
    // whole pixels, so that no bar is wider than it should be
    const fit = () => bars.setAttribute("width", code128.length * (2 * code128.length + 50 <= document.documentElement.clientWidth ? 2 : 1));
    fit();
    window.onresize = fit;
  }
  return el("div", {}, qr && picture(qr, side, side, `QR code of ${code}`), bars);
}

host.onresult = (envelope, beside) => {
  if (!envelope.success) return showError(envelope);
  const voucher = envelope.data;
  const worth = worthOf(voucher, beside);
  const gift = voucher.gift, date = (value) => value && moment(value, beside);
  const about = el("div", {},
    el("h1", { class: "code" }, voucher.code),
    worth && el("p", { class: "worth" }, worth),
    voucher.status && el("p", {}, el("span", { class: "badge" }, STATUS[voucher.status] || voucher.status)),
    facts(
      ["Of", gift && money(gift.amount, beside)],
      ["Pool", voucher.campaign],
      ["Valid from", date(voucher.start_date)],
      ["Valid until", date(voucher.expiration_date)],
      ["Uses", voucher.redemption && usesOf(voucher.redemption)],
      ["Holder", voucher.holder_id],
    ));
  show(el("article", { class: "card sides" }, about, picturesOf(beside.pictures, voucher.code)));
};

host.begin("voucher");
