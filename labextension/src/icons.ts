import { LabIcon } from '@jupyterlab/ui-components';

const LAYERS = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M12 2 2 7.5 12 13l10-5.5z"/>
    <path d="m4.1 10.6-2.1 1.2L12 17.3l10-5.5-2.1-1.2-7.9 4.4z"/>
    <path d="m4.1 14.9-2.1 1.2L12 21.6l10-5.5-2.1-1.2-7.9 4.4z"/>
  </g>
</svg>`;

export const nuvoIcon = new LabIcon({ name: 'nuvo-jupyter:layers', svgstr: LAYERS });
