/** Puts the console into its page. */
import { render } from 'preact';
import { App } from './app.tsx';
import './styles/base.css';
import './styles/controls.css';
import './styles/layout.css';
import './styles/pages.css';
import './styles/overview.css';
import './styles/modes.css';

const place = document.getElementById('console');
if (place !== null) render(<App />, place);
