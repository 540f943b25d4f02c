/**
 * Tells what Kubernetes and Docker put into the environment of a container by themselves from what somebody set: for a Service or a
 * linked container called NAME they set NAME_PORT=tcp://ADDRESS:PORT and the like. Reads no environment.
 */

const NAME = /_PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/;
const VALUE = /^(?:tcp|udp|sctp):\/\/(?:[\d.]+|\[[\da-f:.]+\]|[\da-f:.]+):\d{1,5}$/i;

/** Whether the variable was set for a Service (Kubernetes: "service links") or a link (Docker) of that name. */
export const isServiceLink = (name: string, value: string): boolean => NAME.test(name) && VALUE.test(value);
