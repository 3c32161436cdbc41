// Draws the charts. Data are shown as text only; the page loads nothing and evaluates nothing.
(() => {
  "use strict";
  const specifications = JSON.parse(document.getElementById("chart-data").textContent);
  const tip = document.getElementById("tip");
  const refuse = () => Promise.reject(new Error("this page loads nothing"));
  const loader = { load: refuse, sanitize: refuse, http: refuse, file: refuse };

  const tooltip = (_handler, event, _item, value) => {
    if (value === null || value === undefined || typeof value !== "object") {
      tip.hidden = true;
      return;
    }
    tip.textContent = Object.entries(value).map(([key, text]) => `${key}: ${text}`).join("\n");
    tip.hidden = false;
    tip.style.left = `${Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 14, window.innerHeight - tip.offsetHeight - 8)}px`;
  };

  const options = {
    mode: "vega-lite",
    renderer: "svg",
    ast: true,
    actions: false,
    defaultStyle: false,
    hover: false,
    loader,
    tooltip,
  };
  for (const [id, specification] of Object.entries(specifications)) {
    const place = document.getElementById(id);
    vegaEmbed(place, specification, options).catch((error) => {
      place.textContent = `This chart could not be drawn: ${error.message}`;
    });
  }

  // Paper cannot be clicked open.
  window.addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details")) folded.open = true;
  });
})();
