/**
 * What the backend is told of a body whose sender did not say what it is. To some (Rack among them) such a body is a form,
 * which could hold events and methods that nobody looked for. It judges nothing, and in report mode it says nothing.
 */
import { announcesBody } from './facts.ts';
import { modeOf, type Passage } from './pipeline.ts';
import { isConfinedToMethods } from './scope.ts';

/** The media type to add; null: the body goes without one. `judged`: it was read as JSON, and holds what that said. */
export function typeOfUntyped(passage: Passage, judged: boolean): string | null {
  const { facts, identity, route } = passage;
  if (!announcesBody(facts)) return null;
  if (judged) return 'application/json';
  if (identity === null || !isConfinedToMethods(identity.key) || modeOf(passage, 'key') === 'report') return null;
  return (route?.route.selector ?? null) === null ? 'application/octet-stream' : 'application/json';
}
