/// Sorts a table by the column whose heading is clicked: numbers as numbers, largest first.
enum ReportScript {
  /// Free of `</`, so that it may stand in HTML.
  static let text = #"""

    'use strict';
    for (const table of document.querySelectorAll('table.sortable')) {
      const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
      const value = (row, column) => {
        const cell = row.cells[column], text = cell.dataset.v ?? cell.textContent;
        return text !== '' && isFinite(text) ? +text : text;
      };
      const order = (a, b) => typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === 'number' ? 1 : -1;
      const sort = head => {
        const column = heads.indexOf(head), down = head.getAttribute('aria-sort') ? head.getAttribute('aria-sort') ===
          'ascending' : head.classList.contains('n');
        const rows = [...body.rows].map(row => [value(row, column), row]);
        rows.sort((a, b) => down ? order(b[0], a[0]) : order(a[0], b[0]));
        for (const other of heads) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        body.append(...rows.map(entry => entry[1]));
      };
      for (const head of heads) {
        if (head.classList.contains('b')) continue;
        head.tabIndex = 0;
        head.setAttribute('role', 'button');
        head.addEventListener('click', () => sort(head));
        head.addEventListener('keydown', event => { if (event.key === 'Enter') sort(head); });
      }
    }

    """#
}
