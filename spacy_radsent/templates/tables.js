// Every table is sorted by a click on a heading, and filtered by what is typed; data-facets names columns to choose from.
"use strict";
for (const table of document.querySelectorAll("table.data")) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const text = (row, column) => row.cells[column].textContent.trim();
  const headings = [...table.tHead.rows[0].cells];

  headings.forEach((heading, column) => {
    heading.firstChild.addEventListener("click", () => {
      const descending = heading.getAttribute("aria-sort") === "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      // "1,024", "0.91 (0.88-0.93)", "12.5%", but not "2024-01-03"
      const number = (value) => (/^[+-]?[\d,]*\.?\d+(?=$|[\s%(\[])/.test(value) ? parseFloat(value.replace(/,/g, "")) : NaN);
      const compare = (one, other) => {
        const [a, b] = [text(one, column), text(other, column)];
        const [x, y] = [number(a), number(b)];
        if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y) || a.localeCompare(b, "ja");
        return x - y;
      };
      rows.sort((one, other) => (descending ? -1 : 1) * compare(one, other));
      body.append(...rows);
    });
  });

  if (rows.length < 6) continue;
  const controls = document.createElement("div");
  controls.className = "controls";
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "Rows that hold …";
  search.setAttribute("aria-label", "Show only rows that hold this");
  controls.append(search);
  const choices = (table.dataset.facets || "").split(" ").filter(Boolean).map((column) => {
    const select = document.createElement("select");
    select.setAttribute("aria-label", headings[column].textContent);
    const values = new Set(rows.flatMap((row) => text(row, column).split("; ")));
    select.add(new Option(`${headings[column].textContent}: all`, ""));
    [...values].sort().forEach((value) => select.add(new Option(value, value)));
    if (values.size > 1) controls.append(select);
    return [column, select];
  });
  const count = document.createElement("span");
  count.className = "faint";
  controls.append(count);
  const filter = () => {
    const wanted = search.value.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted) || choices.some(
        ([column, select]) => select.value && !text(row, column).split("; ").includes(select.value));
      shown += !row.hidden;
    }
    count.textContent = `${shown} of ${rows.length}`;
  };
  controls.addEventListener("input", filter);
  table.parentElement.before(controls);
  filter();
}
