/// What makes flame graphs answer: zoom, search, keys. It knows frames by their place, `data-d` (depth) and title.
enum FlameScript {
  /// Free of `]]>` and `</`, so that it may stand in SVG and in HTML.
  static let text = #"""

    'use strict';
    for (const svg of document.querySelectorAll('svg.flame')) flame(svg);
    function flame(svg) {
      const bar = svg.querySelector('.bar'), input = bar.querySelector('input'), reset = bar.querySelector('button');
      const found = bar.querySelector('.found'), about = bar.querySelector('.about');
      const frames = [...svg.querySelectorAll('.f')].map(node => {
        const title = node.firstElementChild.textContent;
        return {node, title: title.replace('\n', ' — '), name: title.split('\n')[0], depth: +node.dataset.d,
          x: parseFloat(node.getAttribute('x')), w: parseFloat(node.getAttribute('width')), text: node.querySelector('text')};
      });
      if (!frames.length) return;
      const of = new Map(frames.map(f => [f.node, f])), slack = 1e-3;
      let zoomed = frames[0], searched = '';
      input.disabled = reset.disabled = false;
      const shown = f => f.node.style.display !== 'none';
      const within = (a, b) => a.x >= b.x - slack && a.x + a.w <= b.x + b.w + slack;

      function label(f, width) {
        const room = Math.floor((width - 5) / 7.23), text = room < 2 ? '' :
          f.name.length <= room ? f.name : f.name.slice(0, room - 1) + '…';
        if (!f.text) {
          if (!text) return;
          f.text = document.createElementNS('http://www.w3.org/2000/svg', 'text');
          f.text.setAttribute('x', 3);
          f.text.setAttribute('y', 13);
          f.node.append(f.text);
        }
        if (f.text.textContent !== text) f.text.textContent = text;
      }
      function draw() {
        const whole = svg.clientWidth || svg.getBoundingClientRect().width || 1200, z = zoomed;
        for (const f of frames) {
          const past = f.depth < z.depth && within(z, f), inside = f.depth >= z.depth && within(f, z);
          f.node.style.display = past || inside ? '' : 'none';
          if (!past && !inside) continue;
          f.node.classList.toggle('past', past);
          const x = past ? 0 : (f.x - z.x) / z.w * 100, w = past ? 100 : f.w / z.w * 100;
          f.node.setAttribute('x', x + '%');
          f.node.setAttribute('width', w + '%');
          label(f, w / 100 * whole);
        }
      }
      function zoom(f) {
        zoomed = f;
        draw();
        say(f);
      }
      function say(f) { about.textContent = f ? f.title : ''; }
      function pattern(text) {
        try { return new RegExp(text, 'i'); }
        catch { return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i'); }
      }
      function search(text) {
        searched = text;
        const test = text && pattern(text);
        let width = 0, hits = 0;
        const spans = [];
        for (const f of frames) {
          const hit = !!text && f.depth > 0 && test.test(f.name);
          f.node.classList.toggle('hit', hit);
          if (hit) { hits++; spans.push([f.x, f.x + f.w]); }
        }
        spans.sort((a, b) => a[0] - b[0]);
        let end = -1;
        for (const [from, to] of spans) {
          width += Math.max(0, to - Math.max(from, end));
          end = Math.max(end, to);
        }
        found.textContent = text ? hits + ' frames, ' + width.toFixed(2) + '%' : '';
      }
      function focus(f) {
        if (!f) return;
        for (const other of frames) other.node.removeAttribute('tabindex');
        f.node.setAttribute('tabindex', '0');
        f.node.focus();
        say(f);
      }
      function neighbour(f, key) {
        const near = frames.filter(shown);
        if (key === 'ArrowDown') return near.find(o => o.depth === f.depth - 1 && within(f, o));
        if (key === 'ArrowUp') return near.filter(o => o.depth === f.depth + 1 && within(o, f)).sort((a, b) => b.w - a.w)[0];
        const row = near.filter(o => o.depth === f.depth).sort((a, b) => a.x - b.x);
        return row[row.indexOf(f) + (key === 'ArrowLeft' ? -1 : 1)];
      }
      const frameOf = event => of.get(event.target.closest('.f'));
      svg.addEventListener('click', event => { const f = frameOf(event); if (f) { zoom(f); focus(f); } });
      svg.addEventListener('mouseover', event => { const f = frameOf(event); if (f) say(f); });
      svg.addEventListener('keydown', event => {
        const f = frameOf(event);
        if (event.key === 'Escape') { input.value = ''; search(''); zoom(frames[0]); focus(frames[0]); }
        if (!f) return;
        if (event.key === 'Enter' || event.key === ' ') zoom(f);
        else if (event.key.startsWith('Arrow')) focus(neighbour(f, event.key));
        else return;
        event.preventDefault();
      });
      input.addEventListener('input', () => search(input.value));
      reset.addEventListener('click', () => { input.value = ''; search(''); zoom(frames[0]); say(); });
      // The controls stay in sight, and the first thing to see is where stacks begin: at the bottom.
      const alone = document.documentElement === svg, box = alone ? null : svg.closest('.scroll');
      const holder = svg.querySelector('foreignObject');
      const follow = () => holder.setAttribute('y', alone ? scrollY : box.scrollTop);
      if (alone) { addEventListener('scroll', follow); scrollTo(0, document.documentElement.scrollHeight); }
      if (box) { box.addEventListener('scroll', follow); box.scrollTop = box.scrollHeight; }
      // A picture alone takes the browser's search over; a page has other text, too.
      document.addEventListener('keydown', event => {
        const typing = event.target.closest && event.target.closest('input');
        if (alone && ((event.ctrlKey || event.metaKey) && event.key === 'f' || event.key === '/' && !typing)) {
          event.preventDefault();
          input.focus();
        }
      });
      addEventListener('resize', draw);
      frames[0].node.setAttribute('tabindex', '0');
      const asked = new URLSearchParams(location.hash.slice(1));
      if (asked.has('s')) { input.value = asked.get('s'); search(input.value); }
      const target = frames.filter(f => f.name === asked.get('z')).sort((a, b) => b.w - a.w)[0];
      if (target) zoom(target); else draw();
    }

    """#
}
