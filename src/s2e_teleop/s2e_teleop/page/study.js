// A study: the banner of the run, the start of each run, and the form after a block.

const SCALES = [
  ['mental', 'Mental demand', 'How mentally demanding was it?', 'very low', 'very high'],
  ['physical', 'Physical demand', 'How physically demanding was it?', 'very low', 'very high'],
  ['temporal', 'Temporal demand', 'How hurried or rushed was the pace?', 'very low', 'very high'],
  ['performance', 'Performance', 'How successful were you in what you were asked to do?',
    'perfect', 'failure'],
  ['effort', 'Effort', 'How hard did you have to work for it?', 'very low', 'very high'],
  ['frustration', 'Frustration',
    'How insecure, discouraged, irritated, stressed or annoyed were you?', 'very low', 'very high'],
];
const DRIVES = {
  autonomy: 'Autonomy drives, you watch',
  person: 'You drive',
  assisted: 'You drive, the robot brakes for obstacles',
};
const TASKS = {
  autonomy: 'The robot drives to the goal by itself. Watch it. If you think it must not go on, '
    + 'drive it yourself or press STOP; then let autonomy go on.',
  person: 'Drive to the goal: the arrow and the metres in the bar above lead there, and a yellow '
    + 'ring marks it in the picture. Touch nothing and nobody. Stop at the goal.',
  assisted: 'Drive to the goal: the arrow and the metres in the bar above lead there, and a yellow '
    + 'ring marks it in the picture. The robot refuses to drive into what it sees. Stop at the goal.',
};

function element(tag, values = {}, ...children) {
  const made = Object.assign(document.createElement(tag), values);
  made.append(...children);
  return made;
}

export class Study {
  constructor(send) {
    this.send = send;
    this.card = null;
    this.seat = false;
    this.answered = -1;
    this.bar = element('section', { id: 'study-bar', hidden: true });
    this.bar.setAttribute('aria-label', 'Run of the study');
    this.badge = element('b', { id: 'study-practice', textContent: 'Practice' });
    this.where = element('span', { id: 'study-where' });
    this.who = element('span', { id: 'study-who' });
    this.arrow = element('span', { id: 'study-arrow', textContent: '▲' });
    this.metres = element('span', { id: 'study-metres' });
    this.goOn = element('button', {
      id: 'study-resume', textContent: 'Let autonomy go on', onclick: () => this.#answer('resume'),
    });
    this.enough = element('button', {
      id: 'study-enough', textContent: 'Enough practice', onclick: () => this.#answer('enough'),
    });
    this.touched = element('button', {
      id: 'study-touched', textContent: 'Count a collision', onclick: () => this.#answer('touched'),
    });
    this.end = element('button', {
      id: 'study-end', textContent: 'End the run', onclick: () => this.#answer('end'),
    });
    this.bar.append(this.badge, this.where, this.who, this.goOn, this.enough, this.touched, this.end,
      this.arrow, this.metres);
    this.panel = element('section', { id: 'study-panel', hidden: true });
    this.panel.setAttribute('aria-live', 'polite');
    this.goal = element('span', { id: 'study-goal', hidden: true });
    document.querySelector('header').after(this.bar);
    document.getElementById('stage').append(this.panel);
    document.getElementById('screen').append(this.goal);
    // What is typed into the form drives nothing; Escape still stops.
    this.panel.addEventListener('keydown', (event) => {
      if (event.code !== 'Escape') event.stopPropagation();
    });
  }

  take(message) {
    if (message.type === 'guide') this.#guide(message);
    else {
      this.card = message;
      this.goal.hidden = true;
      this.metres.textContent = '';
      this.arrow.hidden = true;
      this.#render();
    }
  }

  // Whether this page has the seat; null while it is not connected.
  seated(seat) {
    if (seat === this.seat) return;
    this.seat = seat;
    // An answer may have been lost with the connection.
    this.answered = -1;
    if (this.card !== null) this.#render();
  }

  #answer(action, values = {}) {
    const { card } = this;
    const type = action === 'form' ? 'load' : 'card';
    const more = action === 'form' ? values : { action };
    this.send(type, { card: card.number, ...more });
    this.answered = card.number;
    if (card.phase !== 'running') this.#render();
  }

  #guide({ distance, bearing, u, v }) {
    if (!this.card || this.card.phase !== 'running') return;
    this.arrow.hidden = false;
    this.arrow.style.transform = `rotate(${-bearing}rad)`;
    this.metres.textContent = `${distance.toFixed(1)} m`;
    this.goal.hidden = u === null;
    if (u !== null) {
      this.goal.style.left = `${100 * u}%`;
      this.goal.style.top = `${100 * v}%`;
    }
  }

  #render() {
    const { card } = this;
    this.bar.hidden = false;
    document.body.classList.add('study');
    this.badge.hidden = !card.practice || card.phase === 'form' || card.phase === 'done';
    const run = card.run ? `run ${card.run} of ${card.runs}` : `${card.runs} runs`;
    this.where.textContent = card.phase === 'done' ? 'All blocks are done'
      : `Block ${card.block} of ${card.blocks}, ${card.phase === 'form' ? 'form' : run}`;
    this.who.textContent = card.phase === 'done' ? '' : DRIVES[card.driver]
      + (card.driver === 'autonomy' ? '' : `, link ${card.link}`);
    this.goOn.hidden = !(card.phase === 'running' && card.driver === 'autonomy' && this.seat);
    this.enough.hidden = !(card.phase === 'running' && card.practice && this.seat);
    const counts = card.phase === 'running' && card.counted && this.seat !== null;
    this.touched.hidden = this.end.hidden = !counts;
    document.body.classList.toggle('study-waits', card.phase !== 'running');
    this.panel.hidden = card.phase === 'running' && this.seat !== null;
    this.panel.replaceChildren(...this.#content());
  }

  #content() {
    const { card } = this;
    const note = (text) => element('p', { className: 'hint', textContent: text });
    const head = (text) => element('h2', { textContent: text });
    const result = card.result ? [element('p', { id: 'study-result', textContent: card.result })] : [];
    if (card.phase === 'done') return [head('Thank you'), ...result, note('You may close this page.')];
    if (this.seat === null) {
      return [head('One moment'), note('The next part is being prepared; this page connects by itself.')];
    }
    if (card.phase === 'prepare') return [...result, head('One moment'), note('The run is being prepared.')];
    if (card.phase === 'form') return this.#form(head, note, result);
    if (card.phase !== 'ready') return [];
    const start = element('button', {
      id: 'study-start', className: 'primary', textContent: card.practice ? 'Start to practise' : 'Start',
      disabled: !this.seat || this.answered === card.number, onclick: () => this.#answer('start'),
    });
    return [
      ...result, head(card.practice ? 'Practice' : `Run ${card.run} of ${card.runs}`),
      ...(card.hint ? [element('p', {}, element('b', { textContent: card.hint }))] : []),
      element('p', { textContent: TASKS[card.driver] }), start,
      note(this.seat ? `By starting you agree that this run is recorded as participant ${card.participant}: `
        + 'the pictures of the robot, its way, and what you steer; not your name. You may end the '
        + 'study at any time.' : 'Take the seat first.'),
    ];
  }

  #form(head, note, result) {
    const values = {};
    const submit = element('button', {
      id: 'study-submit', className: 'primary', textContent: 'Submit', disabled: true,
      onclick: () => this.#answer('form', values),
    });
    const rows = SCALES.map(([name, title, question, low, high]) => {
      const slider = element('input', { type: 'range', min: 0, max: 100, step: 5, value: 50, name });
      slider.setAttribute('aria-label', title);
      const output = element('output', { textContent: '–' });
      const row = element(
        'div', { className: 'scale' },
        element('p', {}, element('b', { textContent: title }), ` ${question}`), slider,
        element('p', { className: 'ends' }, element('span', { textContent: low }), output,
          element('span', { textContent: high })),
      );
      // Only what was touched is an answer: a middle that nobody chose is none.
      const choose = () => {
        values[name] = Number(slider.value);
        output.textContent = slider.value;
        row.classList.add('chosen');
        submit.disabled = !this.seat || this.answered === this.card.number
          || Object.keys(values).length < SCALES.length;
      };
      for (const kind of ['input', 'change', 'click']) slider.addEventListener(kind, choose);
      return row;
    });
    if (this.answered === this.card.number) return [head('Thank you'), note('Your answers are being stored.')];
    return [
      ...result, head('How was it?'),
      note(`Think of the runs of this block (${DRIVES[this.card.driver].toLowerCase()}) and move each `
        + 'of the six marks.'),
      element('div', { className: 'scales' }, ...rows), submit, ...(this.seat ? [] : [note('Take the seat first.')]),
    ];
  }
}
