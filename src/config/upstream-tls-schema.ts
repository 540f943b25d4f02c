/**
 * What postern.yaml says of TLS to a backend: whom it is verified by, and who Postern is to it. Reads no file.
 */
import { z } from 'zod';
import { hostName, text } from './values.ts';

export const UpstreamTlsSchema = z
  .strictObject({
    caFile: text()
      .nullable()
      .default(null)
      .describe("PEM file of the authorities that may sign the backend's certificate; null: those that Node trusts."),
    insecureSkipVerify: z
      .boolean({ error: 'must be true or false' })
      .default(false)
      .describe('Accept any certificate of the backend. For experiments only.'),
    serverName: hostName
      .nullable()
      .default(null)
      .describe('The name to expect in the certificate and to send as SNI; null: the host of `upstream`.'),
    certFile: text()
      .nullable()
      .default(null)
      .describe('PEM file of the certificate, and its chain, that Postern shows to a backend that asks for one.'),
    keyFile: text().nullable().default(null).describe('PEM file of the private key of `certFile`.'),
  })
  .superRefine(({ certFile, keyFile }, context) => {
    if ((certFile === null) === (keyFile === null)) return;
    const [there, missing] = certFile === null ? ['keyFile', 'certFile'] : ['certFile', 'keyFile'];
    context.addIssue({ code: 'custom', path: [there], message: `stands alone: it needs \`tls.${missing}\` beside it` });
  })
  .prefault({})
  .describe('How an https:// backend is verified, and who Postern is to it.');
