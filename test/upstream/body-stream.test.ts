import { once } from 'node:events';
import t from 'tap';
import { BodyStream } from '../../src/upstream/body-stream.ts';
import { head, received } from '../support/received.ts';

const unexpected = (): never => {
  throw new Error('not too large');
};

void t.test('the stream is what comes, and destroying it leaves the request alone', async (t) => {
  const { req, client } = await received(t, `${head(10)}hello`);
  const stream = new BodyStream({ req, maxBytes: 10, onTooLarge: unexpected });
  t.same(((await once(stream, 'data')) as Buffer[])[0], Buffer.from('hello'));
  client.write('world');
  t.same(((await once(stream, 'data')) as Buffer[])[0], Buffer.from('world'));
  await once(stream, 'end');

  const second = await received(t, `${head(10)}hello`);
  const listeners = (): number[] => ['data', 'end'].map((name) => second.req.listenerCount(name));
  const before = listeners();
  const broken = new BodyStream({ req: second.req, maxBytes: 10, onTooLarge: unexpected });
  await once(broken, 'data');
  broken.on('error', () => {}).destroy(new Error('upstream failed'));
  if (!broken.closed) await new Promise((resolve) => broken.once('close', resolve));
  t.same(listeners(), before);
  t.notOk(second.req.destroyed);
  t.notOk(second.req.socket.destroyed);
});

void t.test('a stream tells once when it passes the limit, and hands on nothing beyond it', async (t) => {
  const { req, client } = await received(t, `${head(1_000)}hello`);
  let told = 0;
  const tooLarge = new Promise<void>((resolve) => {
    const onTooLarge = (): boolean => {
      told += 1;
      resolve();
      return false;
    };
    const stream = new BodyStream({ req, maxBytes: 8, onTooLarge });
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      t.ok(bytes <= 8);
    });
    stream.once('data', () => client.write('abcd'));
  });
  await tooLarge;
  client.write('efgh');
  await once(req, 'data');
  t.equal(told, 1);
});
