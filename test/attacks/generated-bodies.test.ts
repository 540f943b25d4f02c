import t from 'tap';
import { runEndToEndFuzz } from '../support/end-to-end-fuzz.ts';

t.test(
  'whatever a restricted key sends, no reader of the backend sees another event (npm run fuzz: many more)',
  async (t) => {
    const { received, answers } = await runEndToEndFuzz(t, { cases: 1500, seed: 7 });
    t.ok(received > 150, `${received} bodies passed`);
    for (const status of [204, 400, 403])
      t.ok((answers.get(status) ?? 0) > 50, `${answers.get(status)} answers ${status}`);
  },
);
