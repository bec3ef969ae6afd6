"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const articles = [...document.querySelectorAll("article")];
  const links = [...document.querySelectorAll("nav a")];
  const menu = document.getElementById("menu");
  const nav = document.querySelector("nav");

  const decoded = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text; // a link that was cut off within a %
    }
  };
  const shown = () => {
    const target = document.getElementById(decoded(location.hash.slice(1)));
    const article = target ? target.closest("article") : null;
    return { article: article || articles[0], target };
  };
  const show = () => {
    const { article, target } = shown();
    for (const one of articles) one.classList.toggle("shown", one === article);
    for (const link of links) {
      if (link.hash === `#${article.id}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    nav.classList.remove("shown");
    menu.setAttribute("aria-expanded", "false");
    if (target && target !== article) target.scrollIntoView();
    else scrollTo(0, 0);
  };
  addEventListener("hashchange", show);
  menu.addEventListener("click", () => {
    menu.setAttribute("aria-expanded", String(nav.classList.toggle("shown")));
  });

  document.getElementById("theme").addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = root.dataset.theme || (dark ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });

  const value = (row, column) => {
    const cell = row.cells[column];
    const text = cell ? cell.textContent.trim() : "";
    const number = Number(text.replace(/,/g, "").replace(/ ?%$/, ""));
    return { text, number: text === "" || Number.isNaN(number) ? null : number };
  };
  const compare = (a, b) => {
    if (a.number !== null && b.number !== null) return a.number - b.number;
    if (a.number !== null) return -1;
    if (b.number !== null) return 1;
    return a.text.localeCompare(b.text);
  };
  const sort = (table, column, heading) => {
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, key: value(row, column) }));
    rows.sort((a, b) => (up ? 1 : -1) * compare(a.key, b.key));
    body.append(...rows.map(({ row }) => row));
  };
  for (const table of document.querySelectorAll("table")) {
    if (!table.tHead || !table.tBodies.length || table.tBodies[0].rows.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      if (!heading.textContent.trim()) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => sort(table, column, heading));
    });
  }

  for (const form of document.querySelectorAll(".filters")) {
    const rows = [...document.getElementById(form.dataset.table).tBodies[0].rows];
    const counter = form.querySelector("output");
    const controls = [...form.querySelectorAll("select, input")];
    for (const select of form.querySelectorAll("select")) {
      const values = new Set(rows.map((row) => row.dataset[select.name]));
      for (const one of [...values].sort()) select.add(new Option(one, one));
    }
    const apply = () => {
      let count = 0;
      for (const row of rows) {
        const kept = controls.every((control) =>
          control.tagName === "SELECT"
            ? !control.value || row.dataset[control.name] === control.value
            : row.textContent.toLowerCase().includes(control.value.toLowerCase()),
        );
        row.hidden = !kept;
        count += kept;
      }
      counter.textContent = `${count} of ${rows.length}`;
    };
    form.addEventListener("input", apply);
    apply();
  }
  show();
})();
