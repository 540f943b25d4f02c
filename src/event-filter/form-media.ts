/**
 * Decides whether some backend could read a body as a form, from its Content-Type. It errs on the side of forms: there are
 * parsers that go by how the field begins (Tornado, Jetty), and others by what stands anywhere in it (formidable, HTTP::Body).
 */

/** `multipart/...`, `application/x-www-form-urlencoded`, `application/x-url-encoded`, and what is parsed like them. */
const FORM = /multipart|form-?data|form-?url|url-?encoded|x-www-form/i;

/** `application/form+json` is no such type, but begins like one. */
const FORM_JSON = /^application\/(?:x-)?(?:www-)?form(?![a-z0-9]).*\+json/i;

/** Whether the value of Content-Type names a form, wherever it does; a backslash hides nothing. */
export function mayBeForm(contentType: string): boolean {
  const text = contentType.replaceAll('\\', '');
  return FORM.test(text) || FORM_JSON.test(text);
}
