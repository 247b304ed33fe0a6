import { createRoot } from 'react-dom/client';
import { App } from './app';
import { startTheme } from './parts/theme';
import './style/base.css';
import './style/shell.css';
import './style/parts.css';

startTheme();
createRoot(document.getElementById('page')!).render(<App />);
