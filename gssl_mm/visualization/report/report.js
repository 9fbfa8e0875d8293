'use strict';
(() => {
  const all = (query, root = document) => [...root.querySelectorAll(query)];

  // Tables: a press sorts, the next one turns the order round
  const key = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.v === undefined) return cell.textContent.trim();
    return cell.dataset.v === '' ? NaN : Number(cell.dataset.v);
  };
  const compare = (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    return String(a).localeCompare(String(b), undefined, {numeric: true});
  };
  const sort = (table, column) => {
    const heads = all('th', table.tHead);
    const up = heads[column].getAttribute('aria-sort') !== 'ascending';
    heads.forEach((head) => head.removeAttribute('aria-sort'));
    heads[column].setAttribute('aria-sort', up ? 'ascending' : 'descending');
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [key(row, column), row]);
    // Empty cells stay at the end in both orders
    const empty = ([value]) => Number.isNaN(value);
    const full = rows.filter((row) => !empty(row));
    full.sort((a, b) => (up ? 1 : -1) * compare(a[0], b[0]));
    body.append(...full.concat(rows.filter(empty)).map((row) => row[1]));
  };
  all('table.sortable').forEach((table) => {
    all('th button', table.tHead).forEach((button, column) => {
      button.addEventListener('click', () => sort(table, column));
    });
  });

  // Buttons that show and hide a run
  all('[data-toggle]').forEach((button) => {
    button.addEventListener('click', () => {
      const on = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(on));
      all(`main [data-run="${button.dataset.toggle}"]`).forEach((part) => {
        if (!part.classList.contains('chip')) part.classList.toggle('off', !on);
      });
    });
  });

  // Lines: the values under the pointer
  const points = (line) => line.dataset.values.split(' ').map(
    (pair) => pair.split(',').map(Number));
  const nearest = (found, x) => found.reduce(
    (best, point) => (Math.abs(point[0] - x) < Math.abs(best[0] - x)
      ? point : best));
  const show = (figure, svg, lines, event) => {
    const box = svg.getBoundingClientRect();
    const [low, high, start, stop] = svg.dataset.x.split(' ').map(Number);
    const place = (event.clientX - box.left) / box.width
      * svg.viewBox.baseVal.width;
    const x = low + (place - start) / (stop - start) * (high - low);
    const output = figure.querySelector('output');
    const shown = lines.filter(([line]) => !line.classList.contains('off'));
    if (!shown.length || place < start || place > stop) {
      hide(figure);
      return;
    }
    output.replaceChildren();
    let at = null;
    shown.forEach(([line, found]) => {
      const [a, b] = nearest(found, x);
      if (at === null || Math.abs(a - x) < Math.abs(at - x)) at = a;
      const row = document.createElement('div');
      const value = document.createElement('b');
      row.className = [...line.classList].find((c) => /^c\d$/.test(c)) || '';
      value.textContent = b;
      row.append(value, ` ${line.dataset.label} (${Number(a.toPrecision(4))})`);
      output.append(row);
    });
    const cursor = svg.querySelector('.cursor');
    const to = start + (at - low) / (high - low) * (stop - start);
    cursor.setAttribute('x1', to);
    cursor.setAttribute('x2', to);
    cursor.style.visibility = 'visible';
    output.style.display = 'block';
    const right = place > (start + stop) / 2;
    output.style.left = right ? '50px' : 'auto';
    output.style.right = right ? 'auto' : '8px';
  };
  const hide = (figure) => {
    figure.querySelector('output').style.display = 'none';
    figure.querySelector('.cursor').style.visibility = 'hidden';
  };
  all('figure.chart').filter((f) => f.querySelector('.cursor')).forEach(
    (figure) => {
      const svg = figure.querySelector('svg');
      const lines = all('.line', svg).map((line) => [line, points(line)]);
      svg.addEventListener('pointermove', (event) => show(
        figure, svg, lines, event));
      svg.addEventListener('pointerleave', () => hide(figure));
    });

  // Embeddings: a class name singles its class out, in every plot
  let chosen = null;
  all('.scatter text[data-class]').forEach((word) => {
    word.addEventListener('click', () => {
      chosen = chosen === word.dataset.class ? null : word.dataset.class;
      all('.scatter [data-class]').forEach((part) => part.classList.toggle(
        'faded', chosen !== null && part.dataset.class !== chosen));
    });
  });

  // Folded parts are printed
  window.addEventListener('beforeprint', () => {
    all('details').forEach((part) => { part.open = true; });
  });
})();
