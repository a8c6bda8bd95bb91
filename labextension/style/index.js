import './base.css';
import './panel.css';
import './rows.css';
import './distribute.css';
