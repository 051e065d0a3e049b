// Click a heading to sort its table by that column; again to turn the order round.
for (const heading of document.querySelectorAll("table.sortable th")) {
  heading.querySelector("button").addEventListener("click", () => {
    const table = heading.closest("table"), column = heading.cellIndex;
    const descending = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const key = (row) => {
      const text = row.cells[column].textContent, number = parseFloat(text.replaceAll(",", ""));
      return Number.isNaN(number) ? text : number;
    };
    const order = (a, b) => (typeof a === "number" && typeof b === "number")
      ? a - b : String(a).localeCompare(String(b));
    const rows = [...table.tBodies[0].rows].sort((a, b) => order(key(a), key(b)));
    table.tBodies[0].append(...(descending ? rows.reverse() : rows));
  });
}
